"""Objects of JSON as Python has them, before anything is known of what they hold."""

from collections.abc import Mapping
from typing import Any

#: Being made, or just read.
PlainObject = dict[str, Any]
#: Only looked at.
PlainMapping = Mapping[str, Any]
