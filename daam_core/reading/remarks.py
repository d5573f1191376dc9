"""What is to be said of an input beside its explanation: that it was repaired, or is hardly there."""

from daam_core.result import Explanation

#: Facts of an input that are sentences for people; see ``facts`` of the inputs.
REMARKS = ("repaired", "noticed")


def remarks(explanation: Explanation) -> tuple[str, ...]:
    """The remarks on the explained input, such as ``nearly silent: -73 dB of full scale``."""
    facts = explanation.provenance.get("input")
    if not isinstance(facts, dict):
        return ()
    return tuple(str(facts[key]) for key in REMARKS if facts.get(key))
