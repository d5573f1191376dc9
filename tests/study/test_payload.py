"""What a page shows of a study: numbers as the study has them, and sentences for what it has not."""

import base64
import json

import numpy as np
import pyarrow as pa
import pytest

from daam_core.errors import InputError, ShapeError
from daam_core.study import payload
from daam_core.study.cells import Place, class_preference, scores
from daam_core.study.folder import Study
from daam_core.study.payload import (
    EXCERPT,
    alike_answer,
    inputs_answer,
    place_answer,
    projection_answer,
    slices_answer,
    study_payload,
    telling_answer,
)
from daam_core.study.selection import save_selection
from tests.support.studies import CLASSES, drawn_study

PLANTED = (1, 2, 7)


def _row(number: int) -> dict[str, object]:
    text = "A long\n story. " * 40 if number == 5 else f"Text {number}"
    spans = [0.0, 4.0, float("nan"), float("nan")]
    return {
        "text": text,
        "probabilities": [0.2, 0.5, 0.3],
        "token_spans": spans,
        "token_attribution": [1, -1],
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("studies") / "drawn"
    return drawn_study(folder, planted=PLANTED, refused=(4,), row=_row)


def unpacked(packed: object) -> np.ndarray:
    assert isinstance(packed, dict)
    return np.frombuffer(base64.b64decode(packed["data"]), dtype=packed["dtype"])


def test_the_payload_has_a_line_for_every_explained_input(study: Study) -> None:
    save_selection(study, "mine", np.array([3, 9]))
    shown = json.loads(json.dumps(study_payload(study), allow_nan=False))
    columns = shown["columns"]
    assert unpacked(columns["number"]).tolist() == study.numbers.tolist()
    assert unpacked(columns["label"]).tolist() == [number % 3 for number in study.numbers]
    assert set(unpacked(columns["prediction"])) == {2}
    assert np.array_equal(unpacked(columns["confidence"]), study.explained["confidence"].to_numpy())
    assert shown["refused"] == {"count": 1, "first": [["row 4", "empty"]]}
    assert shown["facts"]["classes"] == list(CLASSES)
    assert shown["groups"]["speaker"]["names"] == ["00", "01", "02", "03"]
    assert unpacked(shown["groups"]["speaker"]["codes"]).tolist() == [number % 4 for number in study.numbers]
    assert unpacked(shown["selections"]["mine"]).tolist() == [3, 9]
    assert columns["name"] == columns["place"]
    texts = columns["text"]
    assert texts[3] == "Text 3"
    assert len(texts[4]) == EXCERPT
    assert "\n" not in texts[4]
    assert shown["cut"] is True


def test_files_of_a_table_are_called_by_their_names_and_groups_by_their_column(tmp_path) -> None:
    def row(number: int) -> dict[str, object]:
        path = str(tmp_path / "data" / ("loud" if number % 2 else "low") / f"{number}.wav")
        return {"path": f"{path}.parquet#audio:3" if number == 2 else path}

    facts = {"modality": "audio"}
    drawn = drawn_study(tmp_path / "one", inputs=4, facts=facts, row=row)
    shown = study_payload(drawn)
    assert shown["columns"]["name"] == ["low/0.wav", "loud/1.wav", "row 2", "loud/3.wav"]  # type: ignore[index]
    assert shown["shared"] == "speaker"
    command = "daam study 'a b' --group-column actor --out one"
    named = drawn_study(tmp_path / "two", inputs=4, facts=facts | {"command": command})
    assert study_payload(named)["shared"] == "actor"


def test_a_place_answers_with_a_score_of_every_input(study: Study) -> None:
    place = Place(*PLANTED)
    answer = place_answer(study, place, "density_attention")
    found = scores(study, place)
    assert np.array_equal(unpacked(answer["scores"]), found.astype(np.float32))
    assert answer["preference"] == [class_preference(study, found)[name] for name in CLASSES]
    assert answer["preference"][2] == 1.0  # type: ignore[index]
    with pytest.raises(ShapeError, match="There is no head 2; they go from 0 to 1"):
        place_answer(study, Place(2), "gate")


def test_only_a_cell_has_cells_like_it(study: Study) -> None:
    assert alike_answer(study, Place(0), "gate") == []
    first, *_ = alike_answer(study, Place(*PLANTED), "gate")
    assert len(first) == 4
    assert first[:3] != list(PLANTED)
    assert alike_answer(study, Place(None, 1, 3), "values")[0][0] is None
    with pytest.raises(ShapeError, match="There is no feature 20"):
        alike_answer(study, Place(0, 0, 20), "gate")


def test_inputs_are_told_in_full(study: Study) -> None:
    (one,) = json.loads(json.dumps(inputs_answer(study, [7]), allow_nan=False))
    assert one["text"] == "Text 7"
    assert one["spans"] == [[0, 4], None]
    assert one["attribution"] == [1, -1]
    assert [name for name, _ in one["probabilities"]] == ["calm", "sad", "angry"]
    assert one["file"] is False
    with pytest.raises(InputError, match="not explained in this study"):
        inputs_answer(study, [4])


def test_slices_differ_where_the_study_does(study: Study) -> None:
    labels = np.asarray(study.explained["label"])
    sad, others = (study.numbers[mask].tolist() for mask in (labels == "sad", labels != "sad"))
    answer = slices_answer(study, sad, others, "density_attention")
    shape = study.facts.map_shape("density_attention")[1:]
    difference, q = (unpacked(answer[name]).reshape(shape) for name in ("difference", "q"))
    assert np.argwhere(q <= 0.05).tolist() == [list(PLANTED)]
    assert difference[PLANTED] == pytest.approx(0.8, abs=0.02)  # the first group minus the second
    means = [unpacked(answer[name]).reshape(shape)[PLANTED] for name in ("first", "second")]
    assert difference[PLANTED] == pytest.approx(means[0] - means[1], abs=1e-4)
    assert answer["units"] is None
    assert study_payload(study)["units"] == ["speaker"]
    dealt = slices_answer(study, sad, others, "density_attention", "speaker")["units"]
    assert dealt == {
        "column": "speaker",
        "in_both": 4,
        "only_first": 0,
        "only_second": 0,
        "left_out": 0,
        "arrangements": 16,
    }
    alone = slices_answer(study, sad, [], "density_attention")
    assert alone["second"] is None
    assert alone["difference"] is None


def test_large_groups_are_drawn_from(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "COMPARED", 1)
    monkeypatch.setattr(payload, "FEWEST", 20)
    numbers = study.numbers.tolist()
    answer = slices_answer(study, numbers[:12], numbers[12:], "gate")
    assert answer["sizes"] == [12, 77]
    assert answer["compared"] == [12, 28]


def test_what_lies_outside_is_shown_where_it_is_known() -> None:
    table = pa.table({"outside_percentile": pa.array([99.5, None, 12.0], pa.float32())})
    assert unpacked(payload._outside(table)).tolist() == [99.5, -1, 12]
    assert payload._outside(table.slice(1, 1)) is None
    assert payload._outside(pa.table({"other": [1]})) is None


def test_the_plane_and_the_telling_cells_come_as_lists(study: Study) -> None:
    plane = projection_answer(study, "pca")
    assert len(unpacked(plane["x"])) == len(unpacked(plane["y"])) == len(study.numbers)
    assert telling_answer(study)[2][0][:3] == list(PLANTED)
