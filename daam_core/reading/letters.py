"""Characters that are there but cannot be seen."""

import re

#: Unicode's default ignorable code points (zero-width, direction and byte order marks, variation selectors),
#: control characters that are no white space, and code points that are no characters.
_INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]+")


#: Byte order marks, and marks that turn the direction of all text after them; letters join without them.
_TURNING = re.compile("[\ufeff\u202a-\u202e\u2066-\u2069]")


def unturned(text: str) -> str:
    """The text without marks that would turn what stands after it on a page; joiners stay.

    >>> unturned("fell\\u202e on")
    'fell on'
    """
    return _TURNING.sub("", text)


def visible(text: str) -> str:
    """The text without characters that cannot be seen, as drawings show it.

    >>> visible("Shares\\ufeff fell\\u200b.")
    'Shares fell.'
    """
    return INVISIBLE.sub("", text)
