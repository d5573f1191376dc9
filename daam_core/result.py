"""The result of explaining one input: a frozen record of numpy arrays and plain values.

Everything that draws, exports or serves takes an :class:`Explanation`. It holds no tensors and has
no plotting methods.
"""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from daam_core.errors import ShapeError
from daam_core.plain import PlainMapping

Scale = Literal["all_heads", "per_head"]

#: Of an encoder's hidden states.
AXIS_NAMES = ("layer", "feature")
#: With several labels: the probability from which on a class is predicted.
LEAST = 0.5
#: The answer where no class has it.
NONE_REACHED = f"none of the classes reaches {100 * LEAST:.0f} %"
_CLASSES_SHOWN = 5  # at a prompt


@dataclass(frozen=True)
class DatasetMean:
    """Averages over a data set, stored with the checkpoint: what an ordinary input looks like.

    Attributes:
        gate: ``[H, L, F]`` mean gate.
        density_attention: ``[H, L, F]`` mean density attention, amplitude × gate.
        importance: ``[H, L, F]`` Importance Factor of the mean density attention: averaged first,
            then scaled (paper, 1.5).
        values: ``[L, F]`` mean of the standardised pooled values.
        statistic_mean: ``[H, F]`` mean of each sample's mean over the layers of a head's gate.
        statistic_variance: ``[H, F]`` mean of the variance beside it: how far an ordinary input's
            values spread over layers.
        samples: how many inputs were averaged.
    """

    gate: np.ndarray
    density_attention: np.ndarray
    importance: np.ndarray
    values: np.ndarray
    statistic_mean: np.ndarray
    statistic_variance: np.ndarray
    samples: int


@dataclass(frozen=True)
class Outside:
    """How unlike the training data an input is, measured against inputs of their kind that were held out.

    Attributes:
        distance: of its ``values`` from the training data; known inputs lie around 1.
        threshold: the distance that 95 % of the known inputs do not exceed.
        percentile: how many percent of the known inputs lie closer, 0 to 100.
        samples: how many known inputs that is measured on.
        reasons: what else is strange about it, as parts of a sentence.
    """

    distance: float
    threshold: float
    percentile: float
    samples: int
    reasons: tuple[str, ...] = ()

    @property
    def is_outside(self) -> bool:
        """Whether it lies farther away than 95 % of the known inputs."""
        return self.distance > self.threshold


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a model decided as it did on one input.

    Letters: H heads, L layers, F features, T tokens, K Gaussians, C classes. ``explained`` is the
    class that gradients and token attribution are about; by default it is the predicted one.

    Attributes:
        model: name of the checkpoint.
        modality: ``audio``, ``text`` or ``image``; ``tensor`` where nothing is known of the input, which
            then has no tokens.
        mode: ``shared`` (every head sees all layers) or ``layer_groups``.
        gate_kind: ``density`` or ``mixture``.
        class_names: C names.
        logits: ``[C]``.
        probabilities: ``[C]``; they sum to 1, with several labels each stands alone.
        prediction: index of the most probable class.
        explained: index of the class that ``gradient`` and token attributions are about.
        values: ``[L, F]`` pooled values after standardisation: what the gate sees.
        pooled: ``[L, F]`` pooled values as the encoder gave them.
        head_layers: ``[H, L]`` bool, whether a head sees a layer. Cells outside are zero in
            ``gate``, ``density_attention``, ``importance`` and ``gradient``.
        gate: ``[H, L, F]`` in [0, 1]: how typical each value is for its feature, by head.
        amplitude: ``[H, L]`` learned height λ per layer; ones where the model has none.
        density_attention: ``[H, L, F]`` = amplitude × gate, the raw map behind ``importance``.
        importance: ``[H, L, F]`` Importance Factor in [0, 1]; ``density_attention`` scaled min–max
            over what ``scale`` says.
        importance_range: ``[H, 2]`` the min and max of ``density_attention`` used for each head's
            scaling; all rows equal when ``scale`` is ``all_heads``.
        scale: ``all_heads`` (min and max over all heads together) or ``per_head``.
        degenerate: the map was constant, so the Importance Factor is 0 everywhere.
        gradient: ``[H, L, F]`` ∂ logit of the explained class / ∂ (density attention · value).
        class_importance: ``[H, L, F]`` = gradient · density attention · value, in logits: the
            signed share of each cell in the explained class's logit, with gate and gradient fixed.
        layer_contribution: ``[H, L]`` share of summed density attention in percent; sums to 100.
        mean_offset: learned δ, ``[H, F]`` (density) or ``[H, K]`` (mixture).
        scaled_variance: learned ξ, ``[H, F]`` (density), or scales c, ``[H, K]`` (mixture).
        initial_mean_offset: δ before training, same shape as ``mean_offset``.
        initial_scaled_variance: ξ (or c) before training, same shape.
        statistic_mean: ``[H, F]`` mean of the values over the layers of each head's gate.
        statistic_variance: ``[H, F]`` the variance beside it, as the gate uses it: over N for density
            gates, over N − 1 for mixture gates.
        token_labels: T names.
        token_spans: ``[T, 2]`` seconds or character indices, ``[T, 4]`` image fractions (left, top,
            right, bottom); NaN where a token stands for no part of the input.
        token_units: ``seconds``, ``characters`` or ``fraction``.
        token_attribution: ``[T]`` in logits: each token's share in the evidence, where there is any, and
            sums to ``evidence.sum()``; else its share in the explained class's logit, which sums to
            ``class_importance.sum()`` and holds to first order for a decoder that is not linear.
        head_token_attribution: ``[H, T]``, its split over heads.
        evidence: ``[H, L, F]`` in logits: how much each cell changes the joint log gates for the explained
            class and against the strongest other one, with several labels against its absence (see
            :func:`~daam_core.importance.evidence`); None for other decoders than ``density``.
        text: the explained text, or None.
        dataset: the data set's averages, or None when the checkpoint has none.
        outside: how unlike the training data the input is, or None where that is not known for this
            classifier.
        provenance: plain values that identify checkpoint, encoder, input, versions and settings.
        axis_names: what the axes of length L and F are called. ``layer`` and ``feature`` for an encoder's
            hidden states; an attention inside a model of one's own may run over tokens.
        labels: ``one`` (the input is of one class) or ``several`` (of every class whose probability is at
            least a half).
        n_levels: attentions one after the other (paper, Algorithm 4), whose heads come level by level. A head
            sees ``values`` multiplied with (1 + gate) of all levels before its own: the *gain*, held fixed in
            ``gradient``. Statistics are of what it sees.
        residual_share: in logits: what the values themselves, which go past all levels, add to the explained
            class's logit; with ``class_importance.sum()`` and the decoder's constant it is that logit. 0 with
            one level.
    """

    model: str
    modality: str
    mode: str
    gate_kind: str
    class_names: tuple[str, ...]
    logits: np.ndarray
    probabilities: np.ndarray
    prediction: int
    explained: int
    values: np.ndarray
    pooled: np.ndarray
    head_layers: np.ndarray
    gate: np.ndarray
    amplitude: np.ndarray
    density_attention: np.ndarray
    importance: np.ndarray
    importance_range: np.ndarray
    scale: Scale
    degenerate: bool
    gradient: np.ndarray
    class_importance: np.ndarray
    layer_contribution: np.ndarray
    mean_offset: np.ndarray
    scaled_variance: np.ndarray
    initial_mean_offset: np.ndarray
    initial_scaled_variance: np.ndarray
    statistic_mean: np.ndarray
    statistic_variance: np.ndarray
    token_labels: tuple[str, ...]
    token_spans: np.ndarray
    token_units: str
    token_attribution: np.ndarray
    head_token_attribution: np.ndarray
    evidence: np.ndarray | None
    text: str | None
    dataset: DatasetMean | None
    outside: Outside | None
    provenance: PlainMapping
    axis_names: tuple[str, str] = AXIS_NAMES
    labels: str = "one"
    n_levels: int = 1
    residual_share: float = 0.0

    def __post_init__(self) -> None:
        heads, layers, features = self.gate.shape
        if heads % self.n_levels:
            raise ShapeError(f"{heads} heads do not divide evenly among {self.n_levels} levels.")
        tokens, classes = len(self.token_labels), len(self.class_names)
        expected = {
            "logits": (classes,),
            "probabilities": (classes,),
            "values": (layers, features),
            "pooled": (layers, features),
            "head_layers": (heads, layers),
            "amplitude": (heads, layers),
            "density_attention": (heads, layers, features),
            "importance": (heads, layers, features),
            "importance_range": (heads, 2),
            "gradient": (heads, layers, features),
            "class_importance": (heads, layers, features),
            "layer_contribution": (heads, layers),
            "scaled_variance": self.mean_offset.shape,
            "statistic_mean": (heads, features),
            "statistic_variance": (heads, features),
            "token_attribution": (tokens,),
            "head_token_attribution": (heads, tokens),
        }
        if self.evidence is not None:
            expected["evidence"] = (heads, layers, features)
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(
                    f"Explanation.{name} must be {list(shape)}, got {list(getattr(self, name).shape)}."
                )

    def __repr__(self) -> str:
        """What a person wants to know at a prompt; the arrays would fill many screens."""
        heads, layers, features = self.shape
        rows, columns = self.axis_names
        order = np.argsort(-self.probabilities, kind="stable")[:_CLASSES_SHOWN]
        classes = ", ".join(f"{self.class_names[index]} {self.probabilities[index]:.3f}" for index in order)
        rest = len(self.class_names) - len(order)
        return (
            f"Explanation of {self.answer!r} by {self.model} ({self.modality})\n"
            f"  probabilities: {classes}{f', and {rest} more' if rest else ''}\n"
            f"  maps: {heads} heads × {layers} {rows}s × {features} {columns}s, {self.gate_kind} gate, "
            f"mode {self.mode}{'' if self.n_levels == 1 else f', {self.n_levels} levels'}\n"
            f"  Importance Factor scaled over {self.scale}{', constant' if self.degenerate else ''}; "
            f"attributions of {len(self.token_labels)} tokens are about {self.explained_class!r}"
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(H, L, F)``."""
        heads, layers, features = self.gate.shape
        return heads, layers, features

    @property
    def predicted_class(self) -> str:
        return self.class_names[self.prediction]

    @property
    def predicted(self) -> tuple[int, ...]:
        """Indices of the predicted classes, most probable first: one, or with several labels any number."""
        if self.labels == "one":
            return (self.prediction,)
        order = np.argsort(-self.probabilities, kind="stable")
        return tuple(int(index) for index in order if self.probabilities[index] >= LEAST)

    @property
    def answer(self) -> str:
        """The predicted classes for reading, with commas between."""
        return ", ".join(self.class_names[index] for index in self.predicted) or NONE_REACHED

    @property
    def explained_class(self) -> str:
        return self.class_names[self.explained]


def arrays(explanation: Explanation) -> dict[str, np.ndarray]:
    """Every array of an explanation by its field name, the data set's under ``dataset_…``."""
    found = {f.name: getattr(explanation, f.name) for f in fields(explanation)}
    if explanation.dataset is not None:
        found |= {f"dataset_{f.name}": getattr(explanation.dataset, f.name) for f in fields(DatasetMean)}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
