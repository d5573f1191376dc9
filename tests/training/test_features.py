"""The feature cache."""

import os
from dataclasses import replace

import pytest
import torch

from daam_core.backbones.base import Backbone
from daam_core.encoding import Encoding, pool
from daam_core.errors import DaamError, DataError, EncoderError, InputError
from daam_core.trained import identity_of
from daam_core.training import features as feature_module
from daam_core.training.data import (
    content_hash,
    shared_inputs,
)
from daam_core.training.features import encoder_folder, extract, read_shards, write_shard
from tests.support.data import letters
from tests.support.encode import encode
from tests.support.small import LetterEncoder


class CountingEncoder(LetterEncoder):
    """Counts its calls, and refuses texts with a ``!``."""

    def __init__(self):
        self.calls = 0

    def encode(self, given):
        if "!" in given.content:
            raise InputError("The text has a '!'.")
        self.calls += 1
        return super().encode(given)


def test_features_are_the_pooled_encodings_in_order(tmp_path):
    data = letters(70)  # more than one shard
    found = extract(data, LetterEncoder(), cache_dir=tmp_path, progress=False).features
    expected = torch.stack([pool(encode(LetterEncoder(), text)) for text in data.inputs])
    assert torch.equal(found, expected)
    assert torch.equal(extract(data, LetterEncoder(), cache_dir=tmp_path, progress=False).features, expected)


def test_each_content_is_encoded_once_even_across_data_sets(tmp_path):
    encoder = CountingEncoder()
    data = letters(40)
    distinct = len(set(data.inputs))
    assert extract(data, encoder, cache_dir=tmp_path).encoded == distinct == encoder.calls
    other = replace(data.part(range(5, 25)), name="other", class_names=("c", "d"))
    assert extract(other, encoder, cache_dir=tmp_path).encoded == 0
    assert encoder.calls == distinct


def test_workers_do_not_change_the_result_nor_the_number_of_threads(tmp_path):
    data = letters(90)
    threads = torch.get_num_threads()
    one = extract(data, LetterEncoder(), cache_dir=tmp_path / "one", workers=1).features
    three = extract(data, LetterEncoder(), cache_dir=tmp_path / "three", workers=3).features
    assert torch.equal(one, three)
    assert torch.get_num_threads() == threads


def test_an_interrupted_run_resumes(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_module, "SHARD_SIZE", 8)
    data = letters(60)
    encoder = CountingEncoder()
    whole = encoder.encode

    def interrupted(sample):
        if encoder.calls == 20:
            raise KeyboardInterrupt
        return whole(sample)

    monkeypatch.setattr(encoder, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(data, encoder, cache_dir=tmp_path, workers=1)
    distinct = len(set(data.inputs))
    kept = len(
        read_shards(encoder_folder(encoder, tmp_path), {content_hash(s) for s in data.inputs}, shape=(6, 8))
    )
    assert 16 <= kept <= 20
    again = CountingEncoder()
    found = extract(data, again, cache_dir=tmp_path)
    assert again.calls == distinct - kept
    assert torch.equal(
        found.features, extract(data, LetterEncoder(), cache_dir=tmp_path / "fresh", progress=False).features
    )


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "foreign"])
def test_a_damaged_shard_is_noticed_and_made_again(tmp_path, damage):
    data = letters(30)
    expected = extract(data, LetterEncoder(), cache_dir=tmp_path, progress=False).features
    (shard,) = encoder_folder(LetterEncoder(), tmp_path).glob("*.safetensors")
    content = bytearray(shard.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[-3] ^= 0x40
    elif damage == "emptied":
        content = bytearray()
    else:
        content = bytearray(b"not safetensors at all" * 20)
    shard.write_bytes(content)
    encoder = CountingEncoder()
    assert torch.equal(extract(data, encoder, cache_dir=tmp_path).features, expected)
    assert encoder.calls == len(set(data.inputs))
    assert extract(data, encoder, cache_dir=tmp_path).encoded == 0


def test_a_shard_of_another_shape_is_not_used(tmp_path):
    key = content_hash("abc")
    write_shard(tmp_path, {key: torch.zeros(2, 3)})
    assert read_shards(tmp_path, {key}, shape=(2, 3))[key].shape == (2, 3)
    assert read_shards(tmp_path, {key}, shape=(6, 8)) == {}


@pytest.mark.parametrize(
    "change", ["name", "revision", "weights_sha256", "preprocessing", "n_layers", "n_features"]
)
def test_every_part_of_an_encoders_identity_is_in_the_key(tmp_path, change):
    encoder = LetterEncoder()
    before = encoder_folder(encoder, tmp_path)
    setattr(encoder, change, 99 if change.startswith("n_") else "another")
    assert encoder_folder(encoder, tmp_path) != before


def test_a_changed_file_is_another_input(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    before = content_hash(path)
    path.write_bytes(b"two")
    assert content_hash(path) != before
    assert content_hash("one") != content_hash("two")
    with pytest.raises(DataError, match=r"missing\.wav cannot be read"):
        content_hash(tmp_path / "missing.wav")


def test_inputs_in_two_data_sets_are_counted_by_content():
    data = letters(30)
    one, two = data.part(range(20)), data.part(range(15, 30))
    known = set(one.inputs)
    assert shared_inputs(two, one) == sum(given in known for given in two.inputs) >= 5


def test_a_broken_input_is_refused_by_place_or_skipped(tmp_path):
    data = letters(10)
    data = replace(data, inputs=(*data.inputs[:3], "stop!", *data.inputs[4:]))
    with pytest.raises(DataError, match=r"letters, row 4: The text has a '!'\. .*--skip-broken"):
        extract(data, CountingEncoder(), cache_dir=tmp_path)
    found = extract(data, CountingEncoder(), cache_dir=tmp_path, skip_broken=True)
    assert len(found.dataset) == len(found.features) == 9
    assert [one.place for one in found.dataset.skipped] == ["row 4"]
    assert "stop!" not in found.dataset.inputs
    with pytest.raises(DataError, match="not one of its 1 inputs can be read"):
        extract(data.part([3]), CountingEncoder(), cache_dir=tmp_path, skip_broken=True)


def test_an_encoder_of_another_modality_is_refused(tmp_path):
    with pytest.raises(DataError, match="letters holds audio inputs, but the encoder letters takes text"):
        extract(replace(letters(), modality="audio"), LetterEncoder(), cache_dir=tmp_path)


def numpy_states(encoder, given):
    found = LetterEncoder.encode(encoder, given)
    return Encoding(found.hidden.numpy(), found.tokens, found.facts, found.text)


def a_token_less(encoder, given):
    found = LetterEncoder.encode(encoder, given)
    return Encoding(found.hidden[:, 1:], found.tokens, found.facts, found.text)


def a_layer_less(encoder, given):
    found = LetterEncoder.encode(encoder, given)
    return replace(found, hidden=found.hidden[1:])


@pytest.mark.parametrize(
    ("encode_wrongly", "said"),
    [
        (numpy_states, "Hidden states must be a torch tensor, got ndarray"),
        (a_token_less, r"Hidden states must be \[L, T, F\] with T = \d+ tokens, got \[6, \d+, 8\]"),
        (a_layer_less, "has n_layers = 6 and n_features = 8, but its hidden states have 5 layers and 8"),
        (lambda *_: None, "encode must return an Encoding of daam_core.encoding, got NoneType"),
    ],
)
def test_what_an_encoder_of_ones_own_does_wrong_is_not_blamed_on_an_input(tmp_path, encode_wrongly, said):
    encoder = type("Wrong", (LetterEncoder,), {"encode": encode_wrongly})()
    with pytest.raises(EncoderError, match=said):
        extract(letters(6), encoder, cache_dir=tmp_path, skip_broken=True)


def test_an_encoder_of_ones_own_that_leaves_attributes_out_is_told_which():
    class Bare(Backbone):
        name = "bare"
        encode = LetterEncoder.encode

    with pytest.raises(EncoderError, match="The encoder Bare lacks modality, revision, weights_sha256, pre"):
        identity_of(Bare())


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DaamError, match="Cannot write"):
        extract(letters(4), LetterEncoder(), cache_dir=tmp_path / "file", progress=False)


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("DAAM_CACHE_DIR", os.fspath(tmp_path))
    assert encoder_folder(LetterEncoder()).parent == tmp_path / "features"
