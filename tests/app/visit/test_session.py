"""A visitor's session: copied, and bounded."""

import copy
from dataclasses import replace

from app.visit import actions
from app.visit.session import MAX_CACHED, MAX_CACHED_BYTES


def test_the_cache_is_bounded(session):
    encoding = session.current.encoding
    for index in range(3 * MAX_CACHED):
        session = session.remembering(str(index), encoding)
    assert [key for key, _ in session.encodings] == [str(i) for i in range(2 * MAX_CACHED, 3 * MAX_CACHED)]
    tokens = len(encoding.tokens)
    wide = MAX_CACHED_BYTES // (4 * tokens) // 2 + 1  # two of these do not fit
    large = replace(encoding, hidden=encoding.hidden.new_zeros((1, tokens, 1)).expand(1, tokens, wide))
    for index in range(3):
        session = session.remembering(f"large {index}", large)
    assert [key for key, _ in session.encodings] == ["large 2"]


def test_a_session_can_be_copied(offer, session):
    copied = copy.deepcopy(session)
    recomputed = actions.mute_parts(offer, copied, ["1"], [], "")
    assert recomputed.current.mutes.heads == {1}
    assert not session.current.mutes
