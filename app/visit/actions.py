"""What the page's actions do: pure functions of a session, the offer and plain inputs.

Each returns a new session and changes nothing else; wrong input raises a ``DaamError``. Only
:func:`explain_input` and :func:`compare_models` run an encoder, and only for an input they do not
know yet.
"""

import time
from dataclasses import replace

from daam_core.configuration import class_index
from daam_core.encoding import Encoding
from daam_core.errors import InputError, is_whole
from daam_core.explaining import explain_encoding
from daam_core.reading.quantities import quantity_map, top_cells
from daam_core.result import Explanation
from daam_core.trained import TrainedClassifier

from .examples import EXAMPLES
from .inputs import Given
from .links import Link
from .media import page_media
from .mutes import NOTHING_MUTED, Mutes, keep_mask, parse_indices
from .offer import Offer
from .session import Result, Session
from .untrusted import indices_of, scale_of, whole_number

MAX_TOP = 1000  # cells that can be muted by rank at once


def explain_input(
    offer: Offer, session: Session, model_name: object, given: Given, *, target: int | None = None
) -> Session:
    """Explain a new input: the session's current result and the start of what-ifs."""
    return session.beginning(_result(offer, session, model_name, given, target=target))


def follow(offer: Offer, session: Session, link: Link) -> Session:
    """Explain what a link names: a built-in example, changed or not, and the one it is compared with.

    Raises:
        InputError: the link names no example, or a change that does not fit.
    """
    before = session if link.baseline is None else _followed(offer, session, link.baseline)
    session = _followed(offer, before, link)
    if link.baseline is None:
        return session
    pinned = link.change is None and link.model == link.baseline.model
    shown = needed(session.current)
    return replace(session.showing(shown, baseline=before.current, pinned=pinned), undo=session.undo)


def _followed(offer: Offer, session: Session, link: Link) -> Session:
    """One result of a link."""
    if link.example is None:
        raise InputError("The link names no example; give an input, or pick an example.")
    example = EXAMPLES[link.example].given()
    session = explain_input(offer, replace(session, pinned=False), link.model, example, target=link.target)
    return session if link.change is None else change_input(offer, session, example.changed(link.change))


def change_input(offer: Offer, session: Session, given: Given) -> Session:
    """Explain a changed version of the original input, with the original as A.

    Each explains its own answer, unless the visitor has chosen a class: then both explain that one.
    """
    original = needed(session.original)
    result = _result(offer, session, original.model, given, target=original.target)
    return session.showing(replace(result, original=original), baseline=original)


def compare_models(offer: Offer, session: Session, other: object) -> Session:
    """Explain the current input with another model as B, the current result as A."""
    current = needed(session.current)
    model = offer[other]
    if model.name == current.model:
        raise InputError(f"{model.name} is the model on screen already; choose another one to compare.")
    result = _result(offer, session, model.name, current.given, target=None)
    # An unchanged input is an original of its own; a changed one is still the change of the same.
    original = None if current.given.change is None else current.original
    return session.showing(replace(result, original=original), baseline=current)


def explain_once(
    offer: Offer,
    model_name: object,
    given: Given,
    *,
    target: str | int | None = None,
    scale: object = "all_heads",
    mutes: Mutes = NOTHING_MUTED,
) -> Explanation:
    """An explanation outside of any session: nothing of it is kept."""
    model = offer[model_name]
    if target is not None:
        class_index(model.class_names, target)  # refused before the encoder runs
    encoding = encode_once(offer, model_name, given)
    shape = (model.config.n_heads, model.config.n_layers, model.config.n_features)
    keep = keep_mask(mutes, shape)
    return explain_encoding(model, encoding, target=target, scale=scale_of(scale), keep=keep)


def encode_once(offer: Offer, model_name: object, given: Given) -> Encoding:
    """An encoding outside of any session."""
    model = offer[model_name]
    return offer.encode(model, given, key=_cache_key(model, given))


def choose_class(offer: Offer, session: Session, target: object) -> Session:
    """Explain another class of the current result (and of A, where it has that class)."""
    current = needed(session.current)
    if target is not None and not is_whole(target):
        raise InputError("A class is chosen by its number.")
    result = _recomputed(offer, current, target=target)
    original = current.original
    if original is not None and original.explanation.class_names == result.explanation.class_names:
        # The choice holds for its next change, too; what a mute keeps explained is no choice.
        result = replace(result, original=_recomputed(offer, original, target=target))
    baseline = session.baseline
    if baseline is not None and baseline.explanation.class_names == result.explanation.class_names:
        baseline = _recomputed(offer, baseline, target=result.explanation.explained)
    return session.showing(result, baseline=baseline, pinned=session.pinned)


def use_as_a(session: Session, number: object) -> Session:
    """Compare with a kept result: it is A of what is on screen and of what comes next."""
    return session.showing(needed(session.current), baseline=_kept(session, number), pinned=True)


def show_again(session: Session, number: object) -> Session:
    """A kept result on screen again, beside the chosen A where there is one."""
    baseline = session.baseline if session.pinned else None
    return session.showing(_kept(session, number), baseline=baseline, pinned=session.pinned)


def _kept(session: Session, number: object) -> Result:
    for kept in session.kept:
        if is_whole(number) and kept.number == number:
            return kept.result
    raise InputError("This result is no longer kept: explain the input again.")


def end_comparison(session: Session) -> Session:
    """Without an A; the current result stays."""
    return session.showing(needed(session.current), baseline=None)


def swap(session: Session) -> Session:
    """A becomes B and B becomes A."""
    if session.baseline is None:
        raise InputError("There is nothing to swap: choose a result as A first.")
    return session.showing(session.baseline, baseline=session.current, pinned=session.pinned)


def select_cell(session: Session, head: object, layer: object, feature: object) -> Session:
    """Remember a cell chosen in the browser, whose word is not taken for it."""
    shape = needed(session.current).explanation.shape
    cell = [index for index in (head, layer, feature) if is_whole(index)]
    if len(cell) < 3 or not all(0 <= index < size for index, size in zip(cell, shape, strict=True)):
        raise InputError(
            f"There is no such cell: heads go from 0 to {shape[0] - 1}, layers to {shape[1] - 1} and "
            f"features to {shape[2] - 1}."
        )
    return replace(session, cell=(cell[0], cell[1], cell[2]))


def set_mutes(offer: Offer, session: Session, mutes: Mutes) -> Session:
    """Switch parts of the attention off and recompute; the encoder does not run."""
    current = needed(session.current)
    if mutes == current.mutes:
        return session
    # The class stays the same while parts go on and off, so that the change can be read.
    target = current.explanation.explained
    muted = _recomputed(offer, current, target=target, mutes=mutes)
    result = replace(muted, original=session.original, at=time.time())
    baseline, pinned = session.baseline, session.pinned
    if baseline is None:
        baseline = _recomputed(offer, current, target=target, mutes=NOTHING_MUTED)
    elif not pinned and not mutes and baseline.is_of(result):
        baseline = None
    return session.showing(result, baseline=baseline, pinned=pinned)


def mute_parts(offer: Offer, session: Session, heads: object, layers: object, features: str) -> Session:
    """Set muted heads, layers and features, as the page's controls name them; cells stay."""
    current = needed(session.current)
    _, _, n_features = current.explanation.shape
    mutes = replace(
        current.mutes,
        heads=indices_of(heads),
        layers=indices_of(layers),
        features=parse_indices(features or "", n_features, word="feature"),
    )
    return set_mutes(offer, session, mutes)


def mute_selected(offer: Offer, session: Session) -> Session:
    """Mute the selected cell, or switch it on again."""
    current = needed(session.current)
    if session.cell is None:
        raise InputError("No cell is selected: click one in a map, or move there with the arrow keys.")
    return set_mutes(offer, session, replace(current.mutes, cells=current.mutes.cells ^ {session.cell}))


def mute_top(offer: Offer, session: Session, count: object) -> Session:
    """Mute the cells with the highest Importance Factor, ``count`` of them."""
    current = needed(session.current)
    try:
        number = whole_number(count)
    except ValueError:
        number = 0
    if not 1 <= number <= MAX_TOP:
        raise InputError(f"The number of cells must be a whole number from 1 to {MAX_TOP}.")
    cells = top_cells(quantity_map(current.explanation, "importance"), number)
    found = frozenset((int(head), int(layer), int(feature)) for head, layer, feature in cells)
    return set_mutes(offer, session, replace(current.mutes, cells=current.mutes.cells | found))


def undo(session: Session) -> Session:
    """Before the last change of the input, of what is muted or of what is compared."""
    if not session.undo:
        raise InputError("There is nothing to undo.")
    return session.undone()


def redo(session: Session) -> Session:
    """Forward again to what was undone last."""
    if not session.redo:
        raise InputError("There is nothing to redo.")
    return session.redone()


def rescaled(offer: Offer, result: Result, scale: object) -> Explanation:
    """A result's explanation with the Importance Factor scaled as asked, for saving."""
    scale = scale_of(scale)
    if result.explanation.scale == scale:
        return result.explanation
    keep = keep_mask(result.mutes, result.explanation.shape)
    return explain_encoding(offer[result.model], result.encoded, target=result.target, scale=scale, keep=keep)


def _result(
    offer: Offer, session: Session, model_name: object, given: Given, *, target: int | None
) -> Result:
    """A result of an input, its encoding taken from the cache where it is there."""
    model = offer[model_name]
    key = _cache_key(model, given)
    encoding = session.cached(key) or (offer.example(key) if given.example else None)
    if encoding is None:
        encoding = offer.encode(model, given, key=key)
    explanation = explain_encoding(model, encoding, target=target)
    return Result(
        model=model.name,
        given=given.kept(),
        key=key,
        encoding=encoding,
        explanation=explanation,
        target=target,
        media=page_media(given),
    )


def _cache_key(model: TrainedClassifier, given: Given) -> str:
    encoder = model.config.encoder
    return f"{encoder.weights_sha256}:{encoder.preprocessing}:{given.key}"


def _recomputed(offer: Offer, result: Result, *, target: int | None, mutes: Mutes | None = None) -> Result:
    mutes = result.mutes if mutes is None else mutes
    keep = keep_mask(mutes, result.explanation.shape)
    explanation = explain_encoding(offer[result.model], result.encoded, target=target, keep=keep)
    unmuted = result.unmuted if result.mutes else result.explanation.probabilities
    return replace(
        result, explanation=explanation, target=target, mutes=mutes, unmuted=unmuted if mutes else None
    )


def needed(result: Result | None) -> Result:
    """A result that must be there for an action.

    Raises:
        InputError: there is none.
    """
    if result is None:
        raise InputError("There is no result yet, or it has expired: explain an input first.")
    return result
