"""Rivals that train the encoder itself: low-rank matrices beside its query and key projections.

Letters: N and B inputs, L layers, T tokens, F features, C classes.
"""

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from daam_core.backbones.base import Backbone
from daam_core.backbones.names import BUILT_IN
from daam_core.encoding import pool
from daam_core.errors import ConfigError
from daam_core.inputs import Input
from daam_core.layers import Standardisation
from daam_core.training.from_inputs import Sources

#: Rank and scale of the matrices that are added to the encoder's.
RANK, SCALE = 8, 16
#: Inputs whose frozen features say how large the encoder's values are.
SIZED_BY = 256
#: Texts that the encoder sees at one time.
TEXTS_AT_ONCE = 32

Adaptation = Literal["lora", "lora_plus"]

#: What the linear layers that make queries and keys are called inside an attention.
QUERY_AND_KEY = (
    ("q_proj", "k_proj"),
    ("query", "key"),
    ("query_proj", "key_proj"),
    ("q_lin", "k_lin"),
    ("linear_q", "linear_k"),
    ("q", "k"),
)
#: And what a single layer that makes queries, keys and values is called.
FUSED = frozenset({"qkv", "qkv_proj", "query_key_value", "Wqkv", "in_proj", "c_attn"})


def projections(module: nn.Module) -> list[str]:
    """Full names of the linear layers that make queries and keys, in the module's order.

    >>> projections(nn.ModuleDict({name: nn.Linear(2, 2) for name in ("query", "key", "value")}))
    ['query', 'key']
    """
    found = []
    for name, attention in module.named_modules():
        inside = dict(attention.named_children())
        for pair in QUERY_AND_KEY:
            if all(isinstance(inside.get(one), nn.Linear) for one in pair):
                found += [f"{name}.{one}" if name else one for one in pair]
    return found


def why_none(backbone: Backbone) -> str:
    """Why no projections are found in an encoder."""
    module = backbone.module
    if module is None and backbone.name not in BUILT_IN:
        return "it does not say which torch module computes its hidden states (Backbone.module)"
    inside = [] if module is None else list(module.named_modules())
    for name, _ in inside:
        if name.rpartition(".")[2] in FUSED:
            return f"one layer, {name}, makes queries, keys and values together"
    if any("attention" in type(one).__name__.lower() for _, one in inside):
        known = ", ".join(" and ".join(pair) for pair in QUERY_AND_KEY)
        return f"its attention has no linear layers of a known name ({known})"
    return "it is a network without attention, such as one of convolutions"


class FrozenSize(Standardisation):
    """By the frozen encoder's pooled last layer, over some of the training inputs."""

    def __init__(self, encoder: "AdaptedEncoder", n_features: int) -> None:
        super().__init__(1, n_features)
        self._encoder = [encoder]  # in a list, so that it is no part of this module

    @torch.no_grad()
    def fit(self, numbers: Tensor) -> None:
        """Take both from the first inputs of these numbers."""
        super().fit(self._encoder[0].pooled(numbers[:SIZED_BY]).unsqueeze(1))


class AdaptedEncoder(nn.Module):
    """The encoder with low-rank matrices added to its query and key projections, by peft, and a linear layer.

    ``numbers [B] → [B, C]``. Inputs are read and pooled as the frozen encoder does it. The added matrices
    and the linear layer are all that this module holds: the rest of the encoder does not learn.
    """

    def __init__(self, sources: Sources, n_classes: int, *, adaptation: Adaptation) -> None:
        super().__init__()
        backbone = sources.backbone
        names = [] if backbone.module is None else projections(backbone.module)
        if backbone.module is None or not names:
            raise ConfigError(
                f"The method {adaptation} learns what is added to an encoder's query and key projections, "
                f"which {backbone.name} does not have: {why_none(backbone)}; leave the method out with "
                "--methods, or take an encoder whose queries and keys are linear layers of their own."
            )
        self.adaptation = adaptation
        self._sources = sources
        module = adapted(backbone.module, names, adaptation)
        # In a tuple and a list, so that the encoder is no part of this module: only what learns is kept.
        self._learning = backbone.with_module(module), module
        self._dropping = [
            one
            for one in module.modules()
            if isinstance(one, nn.Dropout) or any(hasattr(child, "lora_A") for child in one.children())
        ]
        learned = {name: one for name, one in module.named_parameters() if one.requires_grad}
        self.first = nn.ParameterList(one for name, one in learned.items() if "lora_A" in name)
        self.second = nn.ParameterList(one for name, one in learned.items() if "lora_B" in name)
        self._reach(names)
        self.standardisation = FrozenSize(self, backbone.n_features)
        self.decoder = nn.Linear(backbone.n_features, n_classes)

    @property
    def encoder(self) -> nn.Module:
        """The copy of the encoder's module that learns."""
        return self._learning[1]

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """For ``lora_plus`` the second matrices, which start at 0 and may learn faster."""
        return list(self.second) if self.adaptation == "lora_plus" else ()

    def train(self, mode: bool = True) -> "AdaptedEncoder":
        """Dropout of hidden states and of attention, and nothing else of what encoders do while they are
        trained: no masked stretches, no skipped layers, no statistics of batches.
        """
        super().train(mode)
        for one in self._dropping:
            one.training = mode
        return self

    def _reach(self, names: Sequence[str]) -> None:
        """Let the matrices count where an attention takes a projection's weight without calling it, as
        WavLM's does.
        """
        called: set[str] = set()
        layers = {name: self.encoder.get_submodule(name) for name in names}
        hooks = [
            layer.register_forward_hook(lambda *_, name=name: called.add(name))
            for name, layer in layers.items()
        ]
        with torch.no_grad():
            self._last([self._sources.read(0)])
        for hook in hooks:
            hook.remove()
        for name in layers.keys() - called:
            base = self.encoder.get_submodule(f"{name}.base_layer")
            parametrize.register_parametrization(base, "weight", _Added(layers[name]))

    def pooled(self, numbers: Tensor) -> Tensor:
        """``[B] → [B, F]``: mean over tokens of the last layer.

        Raises:
            ConfigError: the encoder computes without gradients.
        """
        texts = self._sources.backbone.modality == "text"
        found = []
        for part in numbers.split(TEXTS_AT_ONCE if texts else 1):
            read = [self._sources.read(number) for number in part.tolist()]
            # What a sound or picture leaves for the gradient is large, and computed again instead of kept. A
            # matrix goes along to say on which device dropout must be drawn as it was.
            found.append(
                self._last(read)
                if texts
                else checkpoint(self._last, read, self.first[0], use_reentrant=False)
            )
        pooled = torch.cat(found)
        if torch.is_grad_enabled() and not pooled.requires_grad:
            raise ConfigError(
                f"The encoder {self._sources.backbone.name} computes its hidden states without gradients, so "
                f"that {self.adaptation} has nothing to learn from; its encode must not use torch.no_grad or "
                "torch.inference_mode."
            )
        return pooled

    def _last(self, read: Sequence[Input], _matrix: Tensor | None = None) -> Tensor:
        """``[B, F]``."""
        backbone, _ = self._learning
        if backbone.together:
            layers = backbone.pooled(read)
        else:
            layers = [pool(encoding) for encoding in backbone.encode_many(read)]
        return torch.stack([one[-1] for one in layers])

    def forward(self, numbers: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.standardisation(self.pooled(numbers)))
        return logits


class _Added(nn.Module):
    """A projection's weight with the product of peft's two matrices added: ``[F, F] → [F, F]``."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = [layer]  # in a list: the layer holds this module

    def forward(self, weight: Tensor) -> Tensor:
        added: Tensor = self._layer[0].get_delta_weight("default")  # type: ignore[operator]
        return weight + added.to(weight.dtype)


def adapted(module: nn.Module, names: Sequence[str], adaptation: Adaptation) -> nn.Module:
    """A copy of a module with low-rank matrices at its layers of these names; all else is shared and frozen.

    Raises:
        ConfigError: peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The method {adaptation} needs the package {error.name}, which is not installed; get it "
            "with: pip install 'daam-explorer[lora]'"
        ) from error
    shared = {id(parameter): parameter for parameter in module.parameters()}
    settings = LoraConfig(r=RANK, lora_alpha=SCALE, target_modules=list(names))
    found: nn.Module = get_peft_model(copy.deepcopy(module, shared), settings).get_base_model()
    return found.eval()
