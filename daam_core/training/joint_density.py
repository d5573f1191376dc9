"""Fit the density decoder in closed form: directions from the data, one joint gate at every training input.

With each training input as a prototype the decoder is kernel ridge regression with a Gaussian kernel on what
the gates let through. What has no closed form (how wide the joint gates are, how strong the ridge is, how far
directions are evened out, how much layers and gated heads count) is chosen among a few values by inputs
that were held out; where none were, by leaving out each training input in turn, for which there is a formula.
The directions have seen the label of the input that is left out: with fewer inputs than directions its loss
looks better than it is (on EmoDB 0.997 right where 0.97 are); what is chosen is about as good.
Letters: N inputs, H heads, L layers, F features, D directions, C classes.
"""

import itertools
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from daam_core.density_decoder import DensityDecoder
from daam_core.errors import ConfigError
from daam_core.gating import joint_gate
from daam_core.model import DaamClassifier
from daam_core.training.answers import cross_entropy, right, wanted
from daam_core.training.settings import DensitySettings

#: What is tried of each setting that nobody gave; the first while those before it are chosen.
TRIED: dict[str, tuple[float, ...]] = {
    "layer_scale": (0.7, 1.0),
    "share": (0.5, 0.1),
    "whitening": (0.1, 1.0),
    "width": (0.5, 0.25, 1.0),
    "ridge": (0.03, 0.003, 0.3),
}
#: What is chosen together, one after the other.
ROUNDS = (("layer_scale", "share"), ("whitening",), ("width", "ridge"))
#: Factors of the logits that are tried: ridge regression answers with about 0 to 1, or −1 to 1.
SHARPNESSES = tuple(float(value) for value in torch.logspace(0, 1.5, 19))
#: Training inputs that the choice is made with at most; the decoder that is kept has all of them.
CHOOSING = 3000
#: Inputs between which the median distance is taken.
APART = 1000
#: Size of an input's numbers below which all inputs count as one.
LEAST_SIZE = 1e-6
#: Inputs whose gates are computed at a time.
BATCH = 512


class Choice(NamedTuple):
    """Settings, none of them None, and how good they are on inputs that the fit did not see."""

    settings: DensitySettings
    loss: float
    accuracy: float


@torch.no_grad()
def fit_decoder(
    classifier: DaamClassifier,
    given: DensitySettings,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None = None,
) -> Choice:
    """Set the decoder of a classifier whose other heads are trained, and its first head, which it opens.

    Args:
        classifier: with the decoder ``density``, a prototype for each input, and fitted standardisation.
        given: settings; those that are None are chosen.
        features: pooled hidden states ``[N, L, F]``.
        labels: ``[N]`` class indices, or ``[N, C]`` of 0 and 1.
        validation: features and labels that choose.
    """
    decoder = classifier.decoder
    if not isinstance(decoder, DensityDecoder):
        raise ConfigError(
            f"Only the decoder density is fitted in closed form, not {classifier.config.decoder}."
        )
    some = torch.arange(len(features))
    if len(features) > CHOOSING:
        some = torch.linspace(0, len(features) - 1, CHOOSING).long()
    choice = _Search(classifier, features[some], labels[some], validation).best(given)
    settings = choice.settings
    seen = _seen(classifier, features, settings, measure=True)
    directions = _Space(seen, labels, decoder.directions.shape[0]).directions(settings).half()
    prototypes = (seen @ directions.float().T).half()
    gates = _JointGates(prototypes.float(), settings)
    ridge = _Ridge(gates.of(prototypes.float()), labels, decoder.output.out_features, settings)
    decoder.directions.copy_(directions)
    decoder.prototypes.copy_(prototypes)
    decoder.scaled_variance.copy_(gates.scaled_variance)
    decoder.output.weight.copy_(_known(settings.sharpness) * ridge.weight.T)
    decoder.output.bias.copy_(_known(settings.sharpness) * ridge.bias)
    return choice


def _known(setting: float | None) -> float:
    if setting is None:
        raise ConfigError("Every setting of the density decoder must be chosen before it is solved.")
    return setting


class _Search:
    """Tries settings, a few at a time."""

    def __init__(
        self,
        classifier: DaamClassifier,
        features: Tensor,
        labels: Tensor,
        validation: tuple[Tensor, Tensor] | None,
    ) -> None:
        self._classifier, self._features, self._labels = classifier, features, labels
        self._validation = validation
        self._looked: tuple[object, Tensor, Tensor | None, _Space] | None = None

    def best(self, given: DensitySettings) -> Choice:
        """Of each round's values those with the lowest loss, whatever those of later rounds."""
        attention = self._classifier.attention
        fixed: dict[str, float] = {}
        if attention.n_heads == 1:
            fixed["share"] = 1.0  # of nothing
        if attention.amplitude_logits is None:
            fixed["layer_scale"] = 1.0
        values = {
            name: tried if getattr(given, name) is None else (getattr(given, name),)
            for name, tried in TRIED.items()
        } | {name: (value,) for name, value in fixed.items()}
        now = self._tried(replace(given, **{name: tried[0] for name, tried in values.items()}), given)
        for names in ROUNDS:
            start = now.settings
            for chosen in itertools.product(*(values[name] for name in names)):
                settings = replace(start, **dict(zip(names, chosen, strict=True)))
                if settings != start:
                    now = min(now, self._tried(settings, given), key=lambda choice: choice.loss)
        return now

    def _tried(self, settings: DensitySettings, given: DensitySettings) -> Choice:
        seen, held_out, space = self._look(settings)
        directions = space.directions(settings)
        inputs = seen @ directions.T
        gates = _JointGates(inputs, settings)
        n_classes = len(self._classifier.config.class_names)
        ridge = _Ridge(gates.of(inputs), self._labels, n_classes, settings)
        if self._validation is None or held_out is None:
            answers, labels = ridge.left_out(), self._labels
        else:
            answers, labels = ridge.answer(gates.of(held_out @ directions.T)), self._validation[1]
        sharpness, loss = _sharpness(answers, labels, given.sharpness)
        share = float(right(answers, labels).double().mean())
        return Choice(replace(settings, sharpness=sharpness), loss, share)

    def _look(self, settings: DensitySettings) -> tuple[Tensor, Tensor | None, "_Space"]:
        """What the decoder sees of training and validation inputs; the last such look is kept."""
        key = settings.layer_scale, settings.share
        if self._looked is None or self._looked[0] != key:
            self._looked = None
            seen = _seen(self._classifier, self._features, settings, measure=True)
            given = self._validation
            held_out = None if given is None else _seen(self._classifier, given[0], settings, measure=False)
            space = _Space(seen, self._labels, self._classifier.config.n_directions)
            self._looked = key, seen, held_out, space
        return self._looked[1:]


def _seen(classifier: DaamClassifier, inputs: Tensor, settings: DensitySettings, *, measure: bool) -> Tensor:
    """What the decoder sees of inputs ``[N, L, F]`` with the first head open: ``[N, L·F]``.

    Args:
        classifier: its first head and the weights of its others are set.
        inputs: pooled hidden states.
        settings: how much layers and gated heads count.
        measure: take these inputs for how large the heads' values are.
    """
    decoder, attention = classifier.decoder, classifier.attention
    assert isinstance(decoder, DensityDecoder)  # noqa: S101 - the caller looked
    attention.open_head(0, _known(settings.layer_scale))
    attention.prepare(len(inputs))
    weights = decoder.head_weight
    parts: tuple[list[Tensor], list[Tensor]] = ([], [])
    learned = weights[1:].clone()
    for batch in inputs.split(BATCH):
        gated = attention.output(classifier.standardise(batch))
        for number, part in enumerate(parts):
            weights.fill_(number)
            weights[0] = 1 - number
            part.append(decoder.see(gated))
    opened, others = (torch.cat(part) for part in parts)
    weights[0], weights[1:] = 1.0, learned
    if measure:
        size = opened.square().mean().sqrt() / others.square().mean().sqrt().clamp_min(1e-12)
        weights[1:] = _known(settings.share) * size
    return opened + others * weights[-1] if attention.n_heads > 1 else opened


class _Space:
    """The training inputs' principal directions, turned to those of their spread within classes."""

    def __init__(self, seen: Tensor, labels: Tensor, n_directions: int) -> None:
        centred = seen - seen.mean(0)
        count = min(n_directions, *centred.shape)
        with torch.random.fork_rng(devices=[]):  # a start of its own: the same data give the same decoder
            torch.manual_seed(0)
            principal = torch.svd_lowrank(centred, q=min(count + 16, *centred.shape), niter=4)[2][:, :count]
        inputs = centred @ principal
        within = _unexplained(inputs, labels)
        variances, turned = torch.linalg.eigh((within.T @ within).double() / len(within))
        self._variances = variances.clamp_min(0).float()
        self._directions = (principal @ turned.float()).T.contiguous()  # [D, L·F]
        size = float(inputs.square().mean().sqrt())
        self._size = size if size > LEAST_SIZE else 1.0  # inputs that are all alike

    def directions(self, settings: DensitySettings) -> Tensor:
        """``[D, L·F]``, on which an input's numbers are of size 1, so that half precision holds them."""
        variances = self._variances
        typical = variances.square().sum() / variances.sum().clamp_min(1e-12)
        until = (_known(settings.whitening) * typical).clamp_min(1e-12)
        evened = torch.rsqrt(1 + variances / until)
        scaled: Tensor = self._directions * (evened / self._size)[:, None]
        return scaled


def _unexplained(inputs: Tensor, labels: Tensor) -> Tensor:
    """What of inputs ``[N, D]`` their labels do not say: the difference from the mean of their class.

    With several labels that from what these add up to by least squares, the same where each has one.
    """
    if labels.ndim == 1:
        sums = inputs.new_zeros(int(labels.max()) + 1, inputs.shape[1]).index_add_(0, labels, inputs)
        return inputs - (sums / torch.bincount(labels).clamp_min(1)[:, None])[labels]
    said = torch.nn.functional.pad(labels.double(), (1, 0), value=1.0)  # the first: what all inputs share
    # A label that all or none have, or that others add up to, says nothing of its own: the smallest solution.
    shares = torch.linalg.pinv(said) @ inputs.double()
    rest: Tensor = inputs - (said @ shares).to(inputs)
    return rest


class _JointGates:
    """Joint gates at prototypes ``[N, D]``, as wide as their distances say."""

    def __init__(self, prototypes: Tensor, settings: DensitySettings) -> None:
        self._prototypes = prototypes
        some = torch.linspace(0, len(prototypes) - 1, min(APART, len(prototypes))).long()
        apart = torch.pdist(prototypes[some]).square()
        median = apart.median() if len(apart) else prototypes.new_ones(())
        self.scaled_variance = (median / (2 * _known(settings.width))).clamp_min(1e-6).reshape(1)

    def of(self, inputs: Tensor) -> Tensor:
        """``[B, D] → [B, N]``."""
        return joint_gate(inputs, self._prototypes, self.scaled_variance)


class _Ridge:
    """Ridge regression of what labels want on joint gates ``[N, N]``, with a free constant.

    Attributes:
        weight: ``[N, C]``.
        bias: ``[C]``.
    """

    def __init__(self, gates: Tensor, labels: Tensor, n_classes: int, settings: DensitySettings) -> None:
        regular = gates.double()
        regular.diagonal().add_(_known(settings.ridge))
        self._factor = torch.linalg.cholesky(regular)
        self._wanted = wanted(labels, n_classes)
        ones = self._wanted.new_ones(len(labels), 1)
        solved = torch.cholesky_solve(torch.cat([self._wanted, ones], 1), self._factor)
        self._constant = solved[:, -1:]
        self.bias = solved[:, :-1].sum(0) / self._constant.sum()
        self.weight = solved[:, :-1] - self._constant * self.bias

    def answer(self, gates: Tensor) -> Tensor:
        """``[B, N] → [B, C]``."""
        return gates.double() @ self.weight + self.bias

    def left_out(self) -> Tensor:
        """What a fit to all others would answer for each training input, ``[N, C]``."""
        inverse = torch.cholesky_inverse(self._factor).diagonal()[:, None]
        return self._wanted - self.weight / (inverse - self._constant.square() / self._constant.sum())


def _sharpness(answers: Tensor, labels: Tensor, given: float | None) -> tuple[float, float]:
    """The factor of the logits with the lowest cross entropy, and that."""
    tried = SHARPNESSES if given is None else (given,)
    losses = [float(cross_entropy(factor * answers, labels)) for factor in tried]
    lowest = min(range(len(tried)), key=losses.__getitem__)
    return tried[lowest], losses[lowest]
