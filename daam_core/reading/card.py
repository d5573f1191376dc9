"""What a model card says, for places that show a part of it."""

import re


def card_title(card: str) -> str:
    """What the classifier is, from the card's first heading: what follows its name; empty if there is none.

    >>> card_title("---\\nlicense: mit\\n---\\n\\n# tones: two pitches\\n")
    'two pitches'
    """
    found = re.search(r"^# (.+)$", card, re.MULTILINE)
    return found[1].partition(": ")[2].strip() if found else ""


def card_part(card: str, heading: str = "") -> str:
    """The first paragraph under a heading, or under the card's title; empty if there is none.

    >>> card_part("# a: b\\n\\nTells b.\\n\\n## Limits\\n\\nMany\\nlimits.\\n\\nMore.", "Limits")
    'Many limits.'
    """
    start = f"## {re.escape(heading)}" if heading else "# .+"
    found = re.search(rf"^{start}\n+((?!#)[^\n]+(?:\n[^\n]+)*)", card, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
