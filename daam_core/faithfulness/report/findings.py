"""What the figures say, in words: one sentence per question, good or bad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from daam_core.faithfulness.destroyed.learned import Learned
from daam_core.faithfulness.destroyed.models import Similarity
from daam_core.faithfulness.destroyed.stability import InputStability, SeedStability
from daam_core.faithfulness.maps.methods import MAP_KINDS
from daam_core.faithfulness.removal.curves import Comparison
from daam_core.faithfulness.removal.in_the_input import LEAVE_ONE_OUT, TOKEN_ATTRIBUTION, TokenLevel
from daam_core.faithfulness.retraining.layers import Retraining
from daam_core.faithfulness.retraining.variants import Variant
from daam_core.faithfulness.statistics import Interval
from daam_core.reading.numbers import fixed

#: ``yes``: the interval excludes zero on the good side; ``no``: on the bad side; ``open``: it holds zero,
#: or the question has no such answer.
Answer = Literal["yes", "no", "open"]
#: Areas that differ by less are level, however sure the difference is.
NEGLIGIBLE = 0.005


@dataclass(frozen=True)
class Finding:
    """One question's answer.

    Attributes:
        question: short, for tables.
        answer: yes, no or open.
        sentence: with figures and interval.
    """

    question: str
    answer: Answer
    sentence: str


def find(
    *,
    gated: Mapping[str, Comparison],
    pairs: Mapping[str, Interval],
    retraining: Retraining,
    sanity: Sequence[Similarity],
    learned: Learned,
    seeds: SeedStability,
    inputs: Sequence[InputStability],
    tokens: TokenLevel | None,
    variants: Sequence[Variant],
) -> list[Finding]:
    """The answers that a report's figures give."""
    found = [against_random(gated["importance"])]
    found += [trained_anew(variant) for variant in variants]
    found += [over(name, difference) for name, difference in pairs.items()]
    found += [
        layers_retrained(count, difference, retraining) for count, difference in retraining.difference.items()
    ]
    found.append(layers_ranked(retraining))
    found += [destroyed(similarity) for similarity in sanity if similarity.method == "importance"]
    found += [learned_share(learned), stable(seeds)]
    found += [
        Finding(
            f"Does the map stay when the input changes a little ({change.change})?",
            "open",
            f"Rank correlation of the Importance Factor {change.importance}, of class importance "
            f"{change.class_importance}; the prediction stays in {change.same_prediction.mean:.0%} of "
            f"{change.importance.count} inputs.",
        )
        for change in inputs
    ]
    if tokens is not None:
        found += in_the_input(tokens)
    return found


def answer(difference: Interval) -> Answer:
    """Yes above zero, no below, open where the interval holds zero."""
    if not difference.excludes_zero:
        return "open"
    return "yes" if difference.mean > 0 else "no"


def answer_of_areas(difference: Interval) -> Answer:
    """As :func:`answer`, and open where areas differ by less than :data:`NEGLIGIBLE`."""
    return "open" if abs(difference.mean) < NEGLIGIBLE else answer(difference)


def against_random(comparison: Comparison) -> Finding:
    found = answer_of_areas(comparison.gain)
    said = {
        "yes": "Removing cells by Importance Factor takes the prediction away sooner than at random",
        "no": "Removing cells by Importance Factor takes the prediction away later than at random",
        "open": "Removing cells by Importance Factor cannot be told from random removal",
    }[found]
    return Finding(
        "Does deletion by Importance Factor beat random order?",
        found,
        f"{said}: area under the curve {fixed(comparison.deletion.mean)} against "
        f"{fixed(comparison.at_random.mean)}, difference {comparison.gain}, n = {comparison.gain.count}.",
    )


def trained_anew(variant: Variant) -> Finding:
    seeds = ", ".join(map(fixed, variant.by_seed))
    return Finding(
        f"Does it on inputs never seen ({variant.name})?",
        answer_of_areas(variant.gain),
        f"Classifiers of {_seeds(len(variant.seeds))}, trained on other inputs, accuracy {variant.accuracy}: "
        f"area {fixed(variant.deletion.mean)} against {fixed(variant.at_random.mean)} at random, difference "
        f"{variant.gain}, by seed {seeds}, n = {variant.gain.count}.",
    )


def over(name: str, difference: Interval) -> Finding:
    first, _, second = name.partition(" over ")
    found = answer_of_areas(difference)
    said = {"yes": "finds more than", "no": "finds less than", "open": "is level with"}[found]
    return Finding(
        f"Is {MAP_KINDS[first].title} better than {MAP_KINDS[second].title}?",
        found,
        f"{MAP_KINDS[first].title} {said} {MAP_KINDS[second].title}: area under the curve of "
        f"{MAP_KINDS[second].title} minus its own {difference}, n = {difference.count}.",
    )


def layers_retrained(count: int, difference: Interval, retraining: Retraining) -> Finding:
    accuracy = {
        choice.end: choice.accuracy.mean for choice in retraining.choices if len(choice.layers) == count
    }
    layers = "layer" if count == 1 else f"{count} layers"
    shared = (
        ""
        if count == 1 or not retraining.overlap
        else (
            f" The two choices share layer{'s' if len(retraining.overlap) > 1 else ''} "
            f"{', '.join(map(str, retraining.overlap))}."
        )
    )
    return Finding(
        f"Is a classifier better on the {layers} of highest Importance Factor than on the lowest?",
        answer(difference),
        f"Retrained on the {layers} of highest Importance Factor a classifier reaches "
        f"{accuracy['highest']:.3f}, on the lowest {accuracy['lowest']:.3f}; difference "
        f"{difference}, n = {difference.count}, {_seeds(len(retraining.seeds))}.{shared}",
    )


def layers_ranked(retraining: Retraining) -> Finding:
    significant = retraining.p_value <= 0.05
    return Finding(
        "Do layers with more Importance Factor carry more by themselves?",
        "yes" if significant else "open",
        f"Rank correlation of a layer's share with its accuracy alone: {fixed(retraining.correlation, 2)} "
        f"over {len(retraining.single)} layers (p = {retraining.p_value:.2g}, one-sided, by permutation).",
    )


def destroyed(similarity: Similarity) -> Finding:
    passed = similarity.answer
    return Finding(
        f"Does the map change when {similarity.destroyed}?"
        if passed is not None
        else "How alike are maps of classifiers trained again?",
        "open" if passed is None else passed,
        f"{similarity.verdict} Structural similarity {fixed(similarity.structure.mean, 2)}, rank correlation "
        f"inside layers {fixed(similarity.within_layers.mean, 2)}, n = {similarity.ranks.count}, "
        f"{_seeds(len(similarity.seeds))}.",
    )


def learned_share(learned: Learned) -> Finding:
    start = learned.starts[-1]
    return Finding(
        "How much of the map is learned?",
        "open",
        f"The map with {start.reset} back at their start explains {start.explained:.0%} of the learned map's "
        f"variance over cells; the rest is learned. {learned.between_inputs:.0%} of the variance lies "
        f"between inputs, n = {learned.count}.",
    )


def stable(seeds: SeedStability) -> Finding:
    return Finding(
        "Do classifiers trained with other seeds show the same map?",
        "open",
        f"Mean maps of {len(seeds.seeds)} seeds correlate at {fixed(seeds.correlation, 2)} (least alike pair "
        f"{fixed(seeds.lowest_correlation, 2)}), summed over heads {fixed(seeds.over_heads, 2)}, layers' "
        f"ranks {fixed(seeds.layers, 2)}.",
    )


def in_the_input(tokens: TokenLevel) -> list[Finding]:
    by_name = {method.method: method for method in tokens.methods}
    own = by_name[TOKEN_ATTRIBUTION]
    beside = (
        f"; leaving one out at a time by captum: {fixed(by_name[LEAVE_ONE_OUT].deletion.mean)}"
        if LEAVE_ONE_OUT in by_name
        else ""
    )
    return [
        Finding(
            f"Does removing {tokens.unit} by token attribution beat random order?",
            answer_of_areas(own.gain),
            f"Area under the curve {fixed(own.deletion.mean)} against {fixed(tokens.at_random.mean)} at "
            f"random{beside}; difference to random {own.gain}, n = {own.gain.count}. In place of a removed "
            f"part: {tokens.baseline}.",
        )
    ]


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
