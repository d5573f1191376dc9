"""A transformers model with its weights from safetensors, as a frozen encoder."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from daam_core.backbones.base import Backbone
from daam_core.backbones.huggingface.hub import (
    CONFIG,
    LOCAL,
    EncoderFiles,
    memory_bytes,
    parameter_count,
    settings_digest,
    weight_files,
)
from daam_core.backbones.placing import Placing
from daam_core.encoding import Encoding
from daam_core.errors import DaamError, EncoderError, first_line
from daam_core.inputs import Input
from daam_core.plain import PlainMapping

#: A model, tokenizer or processor of transformers, which gives the many of a kind no common type.
TransformersPart = Any

#: Parameters that no hidden state depends on; older checkpoints and task heads come without them.
_UNUSED = re.compile(r"(^|\.)(pooler|masked_spec_embed|mask_token|adapter|post_layernorm)(\.|$)")


_LONGEST_REASON = 200  # characters


class Pretrained(Backbone):
    """What the encoders of all three modalities share: names, hashes and hidden states.

    Construction runs one small input through the whole encoder, which finds L and F and shows that
    model, tokenizer or preprocessor, and weights belong together.
    """

    algorithm: str  # version of this program's part of the preprocessing

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str, probe: Input) -> None:
        self._model: TransformersPart = model.eval().requires_grad_(False)
        self.name = files.name
        self.revision = files.revision
        self.weights_sha256 = sha256
        tag = "" if model.dtype == torch.float32 else f":{str(model.dtype).removeprefix('torch.')}"
        self.preprocessing = f"{self.algorithm}:{settings_digest(files.folder)}{tag}"
        self.n_layers = self.n_features = 0
        try:
            self.n_layers, _, self.n_features = self.encode(probe).hidden.shape
        except DaamError as e:
            raise EncoderError(f"'{files.name}' cannot be used: {e}") from e
        except (ValueError, RuntimeError, IndexError, KeyError, TypeError) as e:
            raise EncoderError(
                f"'{files.name}' fails on a small input, so its model and its preprocessing do not fit "
                f"together: {reason(e, files)}"
            ) from e

    def weights(self) -> Iterable[Tensor]:
        found: Iterable[Tensor] = self._model.parameters()
        return found

    @property
    def module(self) -> nn.Module:
        found: nn.Module = self._model
        return found

    @abstractmethod
    def encode(self, given: Input) -> Encoding: ...

    def _states(self, **inputs: Tensor) -> list[Tensor]:
        """Hidden states of every layer, float32 on the CPU, batch axis kept, embedding layer left out."""
        return [here(state) for state in self._run(**inputs).hidden_states[1:]]

    def _run(self, **inputs: Tensor) -> TransformersPart:
        """What the model says, where it lies and in its own numbers.

        Without no_grad: of frozen weights there is no gradient, of a copy that learns there must be.
        """
        return self._model(**self._there(inputs), output_hidden_states=True)

    def _there(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        device, dtype = self._model.device, self._model.dtype
        return {
            name: given.to(device, dtype) if given.is_floating_point() else given.to(device)
            for name, given in inputs.items()
        }


def here(states: Tensor) -> Tensor:
    """Hidden states as every encoder returns them: float32 on the CPU."""
    return states.to("cpu", torch.float32)


def load_pretrained(
    files: EncoderFiles, *, model_class: str, part: str | None, placing: Placing
) -> TransformersPart:
    """A model in the numbers asked for, whatever its file holds; no code of the repository is run.

    Args:
        files: a folder whose safetensors are complete.
        model_class: name of the class in transformers.
        part: the encoder's attribute, where the class holds more than that.
        placing: where it is to lie.

    Raises:
        EncoderError: the weights are damaged, do not belong to the configuration, or would not fit
            into memory.
    """
    import transformers

    loader = getattr(transformers, model_class)
    with quiet():
        try:
            _check_memory(files, placing)
            model, report = loader.from_pretrained(
                files.folder,
                dtype=placing.numbers,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported, and refused below with a sentence of our own
            )
        except EncoderError:
            raise
        except Exception as e:  # transformers and safetensors raise many kinds, and none is our defect
            raise EncoderError(
                f"The weights of '{files.name}' cannot be loaded ({reason(e, files)}); they are damaged or "
                f"belong to another configuration, so {_again(files)}."
            ) from e
    _check_complete(report, files, prefix=f"{part}." if part else "")
    encoder = getattr(model, part) if part else model
    if hasattr(encoder.config, "use_cache"):
        encoder.config.use_cache = False  # keys and values for generation, never read here
    try:
        return encoder.to(placing.device)
    except RuntimeError as e:  # too little memory there
        raise EncoderError(f"'{files.name}' does not fit on {placing.device}: {first_line(e)}.") from e


def _check_memory(files: EncoderFiles, placing: Placing) -> None:
    """Refuses a model that the system would end this process for."""
    needed, available = placing.numbers.itemsize * parameter_count(weight_files(files)), memory_bytes()
    if available is not None and needed > available:
        half = "; --dtype bfloat16 halves that" if placing.dtype == "float32" else ""
        raise EncoderError(
            f"'{files.name}' needs {needed / 1e9:,.1f} GB of memory in {placing.dtype}, and this computer "
            f"has {available / 1e9:,.1f} GB; use a larger one, or a smaller encoder{half}."
        )


def _check_complete(report: PlainMapping, files: EncoderFiles, *, prefix: str) -> None:
    """Refuses a model of which a parameter that counts would have kept its random start."""
    other_shape = sorted((name, list(there), list(here)) for name, there, here in report["mismatched_keys"])
    for name, there, here in other_shape:
        if name.startswith(prefix):
            raise EncoderError(
                f"The weights of '{files.name}' belong to another configuration: {name} has the shape "
                f"{there} in its file and {here} in {CONFIG}, so {_again(files)}."
            )
    missing = sorted(
        name for name in report["missing_keys"] if name.startswith(prefix) and not _UNUSED.search(name)
    )
    if missing:
        raise EncoderError(
            f"The weights of '{files.name}' lack {len(missing)} parameters of its configuration, such as "
            f"{missing[0]}, so {_again(files)}."
        )


def load_part(loader: str, files: EncoderFiles, *, what: str, **options: object) -> TransformersPart:
    """A tokenizer, image processor or feature extractor; no code of the repository is run.

    Args:
        loader: name of the class in transformers.
        files: a folder that holds its files.
        what: its name for messages.
        options: for the class.

    Raises:
        EncoderError: it is missing, damaged, unknown, or needs code or a package that is not there.
    """
    import transformers

    with quiet():
        try:
            return getattr(transformers, loader).from_pretrained(
                files.folder, trust_remote_code=False, local_files_only=True, **options
            )
        except Exception as e:  # as many kinds as there are file formats
            raise EncoderError(
                f"The {what} of '{files.name}' cannot be loaded ({reason(e, files)}); give a model that is "
                "saved with a complete one of a kind that transformers knows."
            ) from e


@contextmanager
def quiet() -> Iterator[None]:
    """Transformers without progress bars and reports: what matters is raised, not printed."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def reason(error: Exception, files: EncoderFiles) -> str:
    """The first sentence of an error's message, with the model's name for its folder."""
    line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    if isinstance(error, KeyError):
        line = f"it lacks {line}"
    sentence = re.split(r"[.:!] |[.:!]$", line.replace(str(files.folder), files.name))[0]
    return sentence[:_LONGEST_REASON]


def _again(files: EncoderFiles) -> str:
    return (
        "copy the model again"
        if files.revision == LOCAL
        else "remove it from the hub cache and load it again"
    )
