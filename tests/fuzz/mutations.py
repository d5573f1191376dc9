"""What happens to files: bytes flipped, numbers made extreme, parts cut out, doubled, swapped or put in."""

from collections.abc import Callable

from hypothesis import strategies as st

EXTREME = [
    bytes.fromhex(digits)
    for digits in (
        "00000000 ffffffff 7fffffff ffffff7f 80000000 00000080 00000001 01000000 ffff0000 0000ffff".split()
    )
]
HEAD = 256  # bytes, where formats keep their numbers

Mutation = Callable[[bytearray], None]


def _place(content: bytearray, share: float, head: bool) -> int:
    return int(share * min(len(content), HEAD if head else len(content)))


SHARES = st.floats(0, 1, exclude_max=True)


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """One change, at a place that is drawn, more often than not in the head."""
    kind = draw(st.sampled_from(("flip", "extreme", "cut", "double", "swap", "insert", "truncate", "zero")))
    share, other, head = draw(SHARES), draw(SHARES), draw(st.booleans())
    piece = draw(st.sampled_from(EXTREME) if kind == "extreme" else st.binary(min_size=1, max_size=8))

    def mutate(content: bytearray) -> None:
        if not content:
            return
        place = _place(content, share, head)
        length = max(1, int(other * min(64, len(content) - place)))
        if kind == "flip":
            content[place] ^= piece[0] or 1
        elif kind == "extreme":
            content[place : place + len(piece)] = piece
        elif kind == "cut":
            del content[place : place + length]
        elif kind == "double":
            content[place:place] = content[place : place + length]
        elif kind == "swap":
            end = _place(content, other, head)
            content[place], content[end] = content[end], content[place]
        elif kind == "insert":
            content[place:place] = piece
        elif kind == "truncate":
            del content[int(share * len(content)) :]
        else:
            content[place : place + length] = bytes(length)

    return mutate


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """Contents with one to six changes."""

    def apply(changes: list[Mutation]) -> bytes:
        found = bytearray(content)
        for change in changes:
            change(found)
        return bytes(found)

    return st.lists(mutations(), min_size=1, max_size=6).map(apply)
