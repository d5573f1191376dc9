"""Round trips are bit-exact; anything else is refused with a sentence that says what is wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from daam_core.errors import CheckpointError, ConfigError, EncoderError
from daam_core.locating import built_in_models
from daam_core.model import DaamClassifier
from daam_core.trained import TrainedClassifier, check_encoder, load_model
from tests.support.small import LetterEncoder, letter_config, letter_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "letters"
    letter_model().save_pretrained(path)
    return path


@pytest.mark.parametrize(
    "change",
    [
        {},
        {
            "decoder": "linear",
            "mode": "layer_groups",
            "gate_kind": "mixture",
            "n_gaussians": 3,
            "amplitude": "none",
        },
        {"decoder": "conv"},
        {"decoder": "density"},
    ],
)
def test_round_trip_is_bit_exact(tmp_path, change):
    model = letter_model(**change)
    model.save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.config == model.config
    expected = model.classifier.state_dict()
    found = loaded.classifier.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert loaded.sha256
    np.testing.assert_array_equal(loaded.dataset.importance, model.dataset.importance)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]


def test_card_and_report_travel_with_the_weights(tmp_path):
    classifier = letter_model().classifier
    TrainedClassifier(
        classifier, name="x", card="---\nlicense: mit\n---\nA card.\n", report={"accuracy": 0.5}
    ).save_pretrained(tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.card.endswith("A card.\n")
    assert loaded.report == {"accuracy": 0.5}
    assert loaded.name == "m"


def test_an_average_without_its_statistics_is_left_out(folder):
    """Heads saved before the statistics were kept still load and decide."""
    tensors = load_file(folder / "model.safetensors")
    before = load_model(folder)
    kept = {name: tensor for name, tensor in tensors.items() if "dataset_statistic" not in name}
    save_file(kept, folder / "model.safetensors")
    loaded = load_model(folder)
    assert before.dataset is not None
    assert loaded.dataset is None
    assert torch.equal(loaded.classifier.decoder.weight, before.classifier.decoder.weight)


def test_without_a_data_set_mean_there_is_none(tmp_path):
    TrainedClassifier(DaamClassifier(letter_config())).save_pretrained(tmp_path)
    assert load_model(tmp_path).dataset is None


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(CheckpointError, match="There is no model 'speech-emotoin'") as caught:
        load_model("speech-emotoin")
    for name in built_in_models():
        assert name in str(caught.value)


def test_a_hub_id_that_cannot_be_reached_is_one_sentence():
    with pytest.raises(
        CheckpointError, match="no folder 'nobody/nothing' here, and it cannot be had from the hub"
    ):
        load_model("nobody/nothing")


def test_a_folder_without_a_configuration_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match=r"it has no config\.json"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"n_layers": 1}', "\x00\xff", "[" * 100_000])
def test_a_damaged_configuration_is_refused(folder, content):
    (folder / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match=r"letters/config\.json"):
        load_model(folder)


@pytest.mark.parametrize("keep", [0, 7, 8, 100, 0.5, 0.999])
def test_truncated_weights_are_refused(folder, keep):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(CheckpointError, match="damaged, truncated or no safetensors file"):
        load_model(folder)


def test_a_pickle_is_never_opened(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(CheckpointError, match="reads safetensors only"):
        load_model(folder)


def edit_config(folder: Path, **changes: object) -> None:
    raw = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(raw | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_features": 9}, r"standardisation\.mean is \[6, 8\], but config\.json asks for \[6, 9\]"),
        ({"n_features": 10**12}, "asks for"),
        ({"n_heads": 3}, r"attention\.mean_offset is \[2, 8\]"),
        ({"class_names": ["a", "b", "c"]}, r"decoder\.weight"),
        ({"decoder": "linear"}, r"decoder\.weight"),
        ({"decoder": "conv"}, r"lacks decoder\.0\.weight: not a head of this kind"),
        ({"amplitude": "none"}, "holds tensors that no such head has: attention.amplitude_logits"),
        ({"mode": "layer_groups", "n_heads": 2}, "dataset_gate"),
    ],
)
def test_weights_at_odds_with_the_configuration_are_refused(folder, changes, message):
    edit_config(folder, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("standardisation.deviation", 0.0, "must be positive"),
        ("attention.mean_offset", float("nan"), "not finite"),
        ("decoder.weight", float("inf"), "not finite"),
    ],
)
def test_unusable_values_are_refused(folder, name, value, message):
    tensors = load_file(folder / "model.safetensors")
    tensors[name][0] = value
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_another_type_of_numbers_is_refused(folder):
    tensors = load_file(folder / "model.safetensors")
    save_file(tensors | {"decoder.bias": tensors["decoder.bias"].double()}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"decoder\.bias must be torch\.float32, got torch\.float64"):
        load_model(folder)


def test_a_damaged_report_is_refused(folder):
    (folder / "report.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"letters/report\.json is damaged"):
        load_model(folder)


def test_an_interrupted_save_leaves_the_old_weights(folder, monkeypatch):
    before = (folder / "model.safetensors").read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("daam_core.checkpoint.save_file", full_disk)
    with pytest.raises(Exception, match="No space left on device"):
        letter_model().save_pretrained(folder)
    assert (folder / "model.safetensors").read_bytes() == before
    assert not list(folder.glob(".*"))


def test_another_encoder_is_refused_by_naming_both():
    class OtherEncoder(LetterEncoder):
        name = "others"
        weights_sha256 = "f" * 64

    check_encoder(letter_config(), LetterEncoder())
    with pytest.raises(EncoderError, match=r"trained on letters .*but the encoder here is others"):
        check_encoder(letter_config(), OtherEncoder())


def test_an_impossible_head_in_a_configuration_is_refused(folder):
    edit_config(folder, mode="layer_groups", n_heads=2, n_layers=6)
    shutil.copy(folder / "config.json", folder / "copy.json")
    with pytest.raises(ConfigError, match="fewer heads"):
        DaamClassifier(letter_config(mode="layer_groups", n_heads=3))
