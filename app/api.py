"""placeholder"""

from app.library import Library


def build(library: Library) -> None: ...
