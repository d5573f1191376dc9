"""What an explanation shows in words: every number and name in a sentence is the arrays'."""

import re
from dataclasses import replace

import numpy as np
import pytest

from daam_core.export.summary import summary
from daam_core.reading.heads import head_order
from daam_core.reading.numbers import fixed, number
from daam_core.reading.sentences import MAJORITY, changes_in_words, in_words, what_stands_out
from daam_core.view.payload import view_payload
from tests.support.builders import make_explanation, without_amplitude


@pytest.mark.parametrize("modality", ["text", "audio", "image"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_heads_and_cells_are_the_arrays(modality, seed):
    e = make_explanation(modality, heads=4, layers=5, seed=seed)
    heads, cells, *_ = in_words(e)
    named = re.findall(
        r"[Hh]ead (\d+) carries ([\d.]+) %(?: of the density attention)?, (.+?)(?:;|\.$)", heads
    )
    order = head_order(e.layer_contribution)
    assert [int(head) for head, _, _ in named] == order[: len(named)].tolist()
    for head, share, where in named:
        own = np.asarray(e.layer_contribution[int(head)], dtype=np.float64)
        assert float(share) == pytest.approx(own.sum(), rel=5e-3)
        layers = [int(layer) for layer in re.findall(r"\d+", where)]
        if layers:
            assert own[layers].sum() >= MAJORITY / 100 * own.sum()
            assert own[layers].min() >= np.delete(own, layers).max()
    total = e.layer_contribution.sum(axis=1)[order]
    assert total[: len(named)].sum() >= MAJORITY or len(named) == 3
    assert total[: len(named) - 1].sum() < MAJORITY
    highest = np.unravel_index(np.argmax(e.importance), e.shape)
    head, layer, feature = map(int, highest)
    first = re.search(r"features? (\d+)", cells)
    assert first
    assert int(first[1]) == feature
    assert f"layer {layer}" in cells
    assert f"head {head}" in cells
    assert summary(e)["in_words"] == list(in_words(e))


@pytest.mark.parametrize(("levels", "layers"), [(1, 6), (2, 7)])
def test_heads_whose_shares_are_equal_by_construction_are_no_findings(levels, layers):
    e = make_explanation(
        gate_kind="mixture", mode="layer_groups", heads=2 * levels, levels=levels, layers=layers
    )
    e = without_amplitude(e) if levels == 1 else e
    said = what_stands_out(e)[0]
    assert said.startswith(
        f"Every head carries the same share of the density attention, {number(50 / levels)} %, by "
        "construction: a mixture's gates add up to 1 over a head's layers; "
    )
    assert said.count("%") == 1


def test_where_equal_heads_lie_is_said():
    e = without_amplitude(make_explanation(gate_kind="mixture", heads=4))

    def where(*shares):
        return what_stands_out(replace(e, layer_contribution=np.array(shares) / len(shares)))[0].split("; ")[
            1
        ]

    even = np.full(6, 100 / 6)
    uneven = [np.array([5, 5, 70, 10, 5, 5]), np.array([40, 40, 5, 5, 5, 5]), np.array([2, 2, 2, 2, 2, 90])]
    spread = np.array([22, 20, 17, 14, 14, 13])
    assert where(even, even, even, even) == "each is spread evenly over its layers."
    assert where(even, spread, even, even) == "each is spread over its layers."
    assert where(even, uneven[0], spread, uneven[1]) == (
        "head 1 has most of it on layer 2 and head 3 has most of it on layers 0 and 1, the others are spread "
        "over their layers."
    )
    assert where(uneven[1], uneven[0], uneven[2], uneven[0]) == (
        "head 1 has most of it on layer 2, head 2 has nearly all of it on layer 5 and head 3 has most of it "
        "on layer 2, these most clearly."
    )


def test_words_of_a_text_are_summed_and_ordered():
    e = make_explanation("text", tokens=4)
    spans = np.array([[0, 4], [5, 8], [9, 13], [14, 19]], dtype=np.float32)
    labels = ("good", "bad", "good", "plain")
    shares = np.array([0.2, -0.5, 0.2, 0.3], dtype=np.float32)
    e = replace(
        e, text="good bad good plain", token_labels=labels, token_spans=spans, token_attribution=shares
    )
    assert (
        in_words(e)[-1]
        == f"“good” (2 times) and “plain” speak most for “{e.explained_class}”, “bad” most against it."
    )
    e = replace(e, token_attribution=-np.abs(shares))
    assert in_words(e)[-1] == f"“bad” speaks most against “{e.explained_class}”."
    e = replace(e, token_attribution=np.zeros_like(shares))
    assert len(in_words(e)) == 2


def test_the_moments_of_a_sound_are_the_windows_of_largest_and_smallest_sum():
    count = 40
    spans = np.stack([np.arange(count) / 10, (np.arange(count) + 1) / 10], axis=1).astype(np.float32)
    shares = np.zeros(count, np.float32)
    shares[12:16], shares[30] = 1.0, -2.0
    e = replace(
        make_explanation("audio", tokens=count),
        token_labels=tuple(str(t) for t in range(count)),
        token_spans=spans,
        token_attribution=shares,
    )
    said = in_words(e)[-1]
    times = [float(t) for t in re.findall(r"(\d+\.\d) s", said)]
    assert times[1] - times[0] == pytest.approx(0.5)
    assert times[0] <= 1.2
    assert times[1] >= 1.6
    assert times[2] <= 3.0 < times[3]
    assert re.fullmatch(r"The part from .* speaks most for “.*”, the part from .* most against it\.", said)


def test_a_region_of_a_picture_is_named_by_its_place():
    spans = np.array([[0.7, 0.0, 1.0, 0.3], [0.4, 0.4, 0.6, 0.6], [0.0, 0.7, 0.3, 1.0]], dtype=np.float32)
    e = replace(
        make_explanation("image", tokens=3),
        token_labels=("a", "b", "c"),
        token_spans=spans,
        token_attribution=np.array([0.5, 0.1, -0.4], dtype=np.float32),
    )
    wanted = f"The upper right speaks most for “{e.explained_class}”, the lower left most against it."
    assert in_words(e)[-1] == wanted


def test_ninths_of_a_picture_that_hold_more_regions_are_not_ahead_for_that():
    """Of 7 × 7 regions the middle ninth holds nine, an edge six and a corner four."""
    edges = np.linspace(0, 1, 8)
    corners = [(edges[c], edges[r], edges[c + 1], edges[r + 1]) for r in range(7) for c in range(7)]
    values = np.full((7, 7), 0.3)
    values[5:, 3:5] = 0.4  # bottom centre
    e = replace(
        make_explanation("image", tokens=49),
        token_labels=tuple(map(str, range(49))),
        token_spans=np.array(corners, dtype=np.float32),
        token_attribution=values.ravel().astype(np.float32),
    )
    assert in_words(e)[-1] == f"The lower centre speaks most for “{e.explained_class}”."


def test_a_constant_map_has_one_sentence():
    assert in_words(make_explanation(constant=True)) == (
        "No cell stands out: the density attention is the same everywhere.",
    )


def test_gates_that_let_nothing_through_have_one_sentence_and_no_findings():
    e = make_explanation()
    dead = replace(e, gate=e.gate * 1e-9, density_attention=e.density_attention * 1e-9)
    (sentence,) = what_stands_out(dead)
    assert sentence.startswith(
        f"The gates let nothing through: the highest is {number(float(dead.gate.max()))}."
    )
    assert len(what_stands_out(e)) > 1


def test_evidence_names_the_cells_and_an_open_head_is_called_so():
    e = make_explanation("text", heads=2, layers=4)
    gate, evidence = e.gate.copy(), np.full(e.shape, -0.1, np.float32)
    gate[0] = 1
    evidence[1, 3, [2, 5]] = 0.4, 0.7
    head, cells, *_ = in_words(replace(e, gate=gate, evidence=evidence))
    assert re.search(
        r"[Hh]ead 0, which lets every cell through, carries [\d.]+ % of the density attention", head
    )
    assert "head 1, which" not in head
    order = np.argsort(-e.logits)
    (other,) = [e.class_names[k] for k in order[:2] if k != e.explained]
    assert cells == (
        "By evidence, features 5 and 2 on layer 3 in head 1 speak most for "
        f"“{e.explained_class}” and against “{other}”."
    )
    alone = in_words(replace(e, evidence=np.minimum(evidence, -0.1)))
    assert not any("speak most for" in said and "head" in said for said in alone)


def test_changes_name_the_decisions_and_the_cell_that_moved_most():
    a, b = (make_explanation("text", heads=2, layers=4, seed=seed) for seed in (1, 2))
    decision, alike, cell = changes_in_words(a, b)
    for letter, e in (("A", a), ("B", b)):
        assert re.search(rf"{letter}.*“{e.predicted_class}”", decision) or "both say" in decision
    flat = [np.asarray(e.importance[e.head_layers], np.float64).ravel() for e in (a, b)]
    assert float(re.search(r"at (−?[\d.]+)\.$", alike)[1].replace("−", "-")) == pytest.approx(
        np.corrcoef(*flat)[0, 1], abs=5e-4
    )
    feature, layer, head, before, after = re.search(
        r"feature (\d+) on layer (\d+) in head (\d+): from ([\d.]+) to ([\d.]+)\.$", cell
    ).groups()
    place = (int(head), int(layer), int(feature))
    change = np.abs(np.asarray(b.importance, np.float64) - a.importance)
    assert change[place] == change.max()
    assert (float(before), float(after)) == pytest.approx(
        (a.importance[place], b.importance[place]), abs=5e-4
    )


def test_two_models_are_compared_without_naming_heads():
    a = make_explanation("text", heads=2, layers=4, seed=1)
    b = replace(make_explanation("text", heads=2, layers=4, seed=2), model="another")
    other = replace(b, class_names=tuple(f"{name} too" for name in b.class_names))
    assert "head" not in " ".join(changes_in_words(a, b)).replace("All heads together", "")
    assert changes_in_words(a, other)[0].startswith("The two models know different classes")
    assert changes_in_words(a, a)[-1] == "The Importance Factor is the same in every cell."


def with_evidence(e, seed):
    drawn = np.random.default_rng(seed).normal(0, 0.01, e.shape).astype(np.float32)
    return replace(e, evidence=drawn)


def test_where_both_have_evidence_the_words_are_of_evidence_like_the_map_that_is_shown():
    a, b = (with_evidence(make_explanation("text", heads=2, layers=4, seed=seed), seed) for seed in (1, 2))
    b = replace(b, logits=a.logits, explained=a.explained)
    _, alike, cell = changes_in_words(a, b)
    flat = [np.asarray(e.evidence, np.float64).ravel() for e in (a, b)]
    assert alike == f"The two maps of evidence correlate at {fixed(np.corrcoef(*flat)[0, 1])}."
    place = np.unravel_index(np.abs(b.evidence - a.evidence).argmax(), a.shape)
    head, layer, feature = place
    assert cell == (
        f"The evidence changes most at feature {feature} on layer {layer} in head {head}: "
        f"from {number(a.evidence[place])} to {number(b.evidence[place])}."
    )
    assert view_payload(a, compare=b)["largest_change"] == {
        "head": head,
        "layer": layer,
        "feature": feature,
        "quantity": "evidence",
    }
    assert changes_in_words(a, a)[-1] == "The evidence is the same in every cell."
    together = changes_in_words(a, replace(b, model="another"))[1]
    by_cell = [np.asarray(e.evidence, np.float64).sum(0).ravel() for e in (a, b)]
    assert together == (
        "All heads together, by layer and feature, the two maps of evidence correlate at "
        f"{fixed(np.corrcoef(*by_cell)[0, 1])}."
    )


def test_evidence_for_another_class_is_said_to_be_so():
    a = with_evidence(make_explanation("text", seed=1), 1)
    other = next(k for k in range(len(a.class_names)) if k != a.explained)
    b = with_evidence(replace(a, explained=other), 2)
    names = a.class_names

    def against(e):
        return names[max((k for k in range(len(names)) if k != e.explained), key=lambda k: e.logits[k])]

    assert changes_in_words(a, b)[-1] == (
        f"A's evidence is for “{names[a.explained]}” and against “{against(a)}”, "
        f"B's for “{names[other]}” and against “{against(b)}”."
    )
    assert not any("evidence" in said for said in changes_in_words(a, replace(b, evidence=None)))


def test_words_begin_by_saying_that_what_is_explained_is_not_the_answer():
    e = make_explanation("text")
    other = next(k for k in range(len(e.class_names)) if k != e.prediction)
    said = f"Explained is “{e.class_names[other]}”, which is not the answer (“{e.predicted_class}”)."
    assert e.explained == e.prediction
    assert not any("not the answer" in sentence for sentence in in_words(e))
    chosen = replace(e, explained=other)
    assert in_words(chosen)[0] == summary(chosen)["in_words"][0] == said
    assert view_payload(chosen)["a"]["in_words"][0] == said
    constant = make_explanation(constant=True)
    other_than_its = (constant.prediction + 1) % len(constant.class_names)
    assert in_words(replace(constant, explained=other_than_its))[1:] == in_words(constant)
    # With several labels, any of the predicted ones is an answer.
    both = np.full(len(e.class_names), 0.1, np.float32)
    both[[e.prediction, other]] = 0.9, 0.8
    assert not any(
        "not the answer" in s for s in in_words(replace(chosen, labels="several", probabilities=both))
    )


def test_a_head_with_even_shares_is_not_said_to_be_on_some_layers():
    e = make_explanation("text", heads=2, layers=6)
    shares = np.array([[9.0] * 6, [30.0, 10, 2, 2, 1, 1]], np.float32)
    e = replace(e, layer_contribution=shares)
    assert in_words(e)[0] == ("Head 0 carries 54 % of the density attention, spread evenly over its layers.")
    assert view_payload(e)["a"]["most_on"] == ["even", [0]]
    shares[0, :] = 12, 11, 10, 8, 7, 6
    assert in_words(replace(e, layer_contribution=shares))[0].endswith(", spread over its layers.")
