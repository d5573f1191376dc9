"""Whether an input is outside of what a classifier knows, in words and as columns of a table."""

import math
from dataclasses import asdict

from daam_core.result import Explanation

ADVICE = "Read the prediction with that in mind."


def warning(explanation: Explanation) -> str:
    """What to read before the prediction, where the input is unlike the training data or hardly there.

    Returns:
        One to four sentences; empty where there is nothing to warn of, or nothing known.
    """
    found = explanation.outside
    said = []
    if found is not None and found.is_outside:
        if found.percentile >= 100:
            said.append(
                "Unlike anything it was trained on: farther from the training data than each of "
                f"{found.samples:,} known inputs."
            )
        else:
            said.append(
                f"Unlike most of what it was trained on: farther from the training data than "
                f"{_floored(found.percentile)} % of the known inputs."
            )
    if found is not None:
        said += [f"{reason[:1].upper()}{reason[1:]}." for reason in found.reasons]
    if quiet := _quiet(explanation):
        said.append(f"The sound is {quiet}, so there is hardly anything to judge by.")
    return " ".join([*said, ADVICE]) if said else ""


def verdict(explanation: Explanation) -> str:
    """The warning, or that there is none to give, or that nothing is known; a sentence always."""
    found = explanation.outside
    if said := warning(explanation):
        return said
    if found is None:
        return "How unlike its training data an input is, is not known for this classifier."
    return (
        "Like what it was trained on: no farther from the training data than 95 % of the known inputs "
        f"({_floored(found.percentile)} % lie closer)."
    )


def outside_columns(explanation: Explanation) -> dict[str, object]:
    """Columns of a table with one row an input; None where nothing is known."""
    found = explanation.outside
    return {
        "outside": None if found is None else found.is_outside,
        "outside_distance": None if found is None else found.distance,
        "outside_percentile": None if found is None else found.percentile,
    }


def outside_summary(explanation: Explanation) -> dict[str, object] | None:
    """Everything of it as plain values, with the verdict in words; None where nothing is known."""
    found = explanation.outside
    if found is None:
        return None
    return asdict(found) | {
        "reasons": list(found.reasons),
        "is_outside": found.is_outside,
        "verdict": verdict(explanation),
    }


def _floored(percentile: float) -> str:
    """Percent, rounded down: nothing is said to be farther away than it is."""
    return f"{math.floor(percentile * 10) / 10:.1f}" if percentile > 99 else f"{math.floor(percentile)}"


def _quiet(explanation: Explanation) -> str:
    facts = explanation.provenance.get("input")
    return str(facts.get("noticed", "")) if isinstance(facts, dict) else ""
