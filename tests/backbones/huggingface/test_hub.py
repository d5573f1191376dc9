"""Where encoders come from: folders and pinned hub commits, safetensors only, every refusal one sentence."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import errors
from safetensors.torch import load_file, save_file

from daam_core.backbones.huggingface.families import PRESETS, Preset, load_huggingface
from daam_core.backbones.huggingface.hub import EncoderFiles, memory_bytes, weight_files, weights_sha256
from daam_core.errors import EncoderError
from tests.support import tiny_models as tiny
from tests.support.encode import encode

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Edit = Callable[[Path], Any]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        "bert": tiny.save_text(root / "bert", "bert"),
        "vit": tiny.save_patches(root / "vit", "vit"),
        "wavlm": tiny.save_waveform(root / "wavlm", "wavlm"),
        "whisper": tiny.save_whisper(root / "whisper"),
    }


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty hub cache on a computer without network; returns the cache."""
    cache = tmp_path / "cache"
    for constant in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.setattr(f"huggingface_hub.constants.{constant}", str(cache), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return cache


def settings(name: str = "config.json", **changes: Any) -> Edit:
    """An edit that changes keys of a JSON file."""

    def edit(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8")) | changes
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return edit


def content(name: str, text: str | bytes) -> Edit:
    return lambda folder: (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def weights(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Edit:
    def edit(folder: Path) -> None:
        file = folder / "model.safetensors"
        save_file(change(load_file(file)), file, metadata={"format": "pt"})

    return edit


def without(part: str) -> Edit:
    return weights(lambda state: {name: tensor for name, tensor in state.items() if part not in name})


def removed(pattern: str) -> Edit:
    def edit(folder: Path) -> None:
        for file in folder.glob(pattern):
            file.unlink()

    return edit


def truncated(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def in_turn(*edits: Edit) -> Edit:
    def edit(folder: Path) -> None:
        for each in edits:
            each(folder)

    return edit


def pickled(folder: Path) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def sharded(folder: Path, *, shard: str = "model-00002-of-00002.safetensors") -> None:
    """The weights in two files, as large models have them; the second may be called anything."""
    state = load_file(folder / "model.safetensors")
    names = sorted(state)
    halves = {"model-00001-of-00002.safetensors": names[::2], shard: names[1::2]}
    for file, part in halves.items():
        save_file({name: state[name] for name in part}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, part in halves.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "model.safetensors").unlink()


REFUSED: list[tuple[str, str, Edit, str]] = [
    # What is no encoder.
    (
        "type",
        "bert",
        settings(model_type="own"),
        r"^'type' is of type 'own', .* for audio: wavlm.*; for text: bert.*llama.*; for image: vit.*resnet",
    ),
    ("no_type", "bert", settings(model_type=None), r"^The config\.json of 'no_type' names no model_type"),
    ("config", "bert", content("config.json", "{"), r"^The config\.json of 'config' cannot be read as JSON"),
    ("list", "bert", content("config.json", "[]"), r"^The config\.json of 'list' is not a JSON object"),
    ("no_config", "bert", removed("config.json"), r"^'no_config' holds no config\.json"),
    (
        "quantised",
        "bert",
        settings(quantization_config={"load_in_4bit": True}),
        r"^The weights of 'quantised' are quantised",
    ),
    # Weights.
    (
        "pickle",
        "bert",
        pickled,
        r"^'pickle' has no model\.safetensors, and nothing else is read, because a \.bin .* can run code",
    ),
    (
        "none",
        "bert",
        removed("*.safetensors"),
        r"^'none' has no model\.safetensors; give the folder that save_pretrained wrote\.$",
    ),
    (
        "truncated",
        "bert",
        truncated,
        r"^The weights of 'truncated' cannot be loaded \(.*\); they are damaged or belong to another",
    ),
    (
        "garbage",
        "bert",
        content("model.safetensors", "no tensors"),
        r"^The weights of 'garbage' cannot be loaded",
    ),
    ("empty", "bert", content("model.safetensors", ""), r"^The weights of 'empty' cannot be loaded"),
    (
        "wider",
        "bert",
        settings(hidden_size=32),
        r"another configuration: .* has the shape \[16\] in its file and \[32\] in config",
    ),
    (
        "deeper",
        "bert",
        settings(num_hidden_layers=5),
        r"^The weights of 'deeper' lack 32 parameters .* such as encoder\.layer\.3",
    ),
    (
        "layer",
        "bert",
        without("layer.1."),
        r"^The weights of 'layer' lack 16 parameters .* encoder\.layer\.1.*copy the model again",
    ),
    ("heads", "bert", settings(num_attention_heads=3), r"^The weights of 'heads' cannot be loaded"),
    (
        "nan",
        "bert",
        weights(lambda state: {name: tensor * float("nan") for name, tensor in state.items()}),
        r"^'nan' cannot be used: The encoder returned values that are not finite",
    ),
    ("whisper", "whisper", without("encoder.layers.1."), r"^The weights of 'whisper' lack 15 parameters"),
    (
        "outside",
        "bert",
        lambda folder: sharded(folder, shard="../stray.safetensors"),
        r"points outside its folder; it is not read",
    ),
    (
        "shard",
        "bert",
        in_turn(sharded, removed("model-00002*")),
        r"^'shard' lacks 1 of its 2 weight files, such as model-00002-of-00002\.safetensors; copy",
    ),
    (
        "index",
        "bert",
        in_turn(sharded, content("model.safetensors.index.json", "{}")),
        r"^The model\.safetensors\.index\.json of 'index' is damaged",
    ),
    # How inputs are prepared.
    ("no_tokenizer", "bert", removed("tok*"), r"^'no_tokenizer' holds none of tokenizer\.json, .*vocab\.txt"),
    (
        "tokenizer",
        "bert",
        content("tokenizer.json", "{"),
        r"^The tokenizer of 'tokenizer' cannot be loaded \(",
    ),
    ("no_processor", "vit", removed("pre*"), r"^'no_processor' holds none of preprocessor_config\.json"),
    (
        "processor",
        "vit",
        settings("preprocessor_config.json", image_processor_type="Nonsense"),
        r"^The image processor of 'processor' cannot be loaded",
    ),
    (
        "detr",
        "vit",
        settings("preprocessor_config.json", image_processor_type="DetrImageProcessor"),
        r"^The image processor DetrImageProcessorPil is not supported",
    ),
    (
        "size",
        "vit",
        settings("preprocessor_config.json", size=64),
        r"^'size' fails on a small input, so its model and its preprocessing do not fit together",
    ),
    (
        "extractor",
        "wavlm",
        settings("preprocessor_config.json", feature_extractor_type="Nonsense"),
        r"^The feature extractor of 'extractor' cannot be loaded",
    ),
    (
        "spectrogram",
        "wavlm",
        settings("preprocessor_config.json", feature_extractor_type="WhisperFeatureExtractor"),
        r"^The feature extractor of 'spectrogram' \(WhisperFeatureExtractor\) is not one of raw samples",
    ),
    (
        "bands",
        "whisper",
        settings("preprocessor_config.json", feature_size=80),
        r"^'bands' departs from Whisper's spectrogram: .* 80\) instead of \(16000, 400, 160, 8\)",
    ),
    (
        "rate",
        "wavlm",
        settings("preprocessor_config.json", sampling_rate=None),
        r"^The feature extractor of 'rate' \(Wav2Vec2FeatureExtractor\) names no sampling rate",
    ),
]


@pytest.mark.parametrize(("name", "model", "edit", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused_in_one_sentence(
    name: str, model: str, edit: Edit, message: str, saved: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / name
    shutil.copytree(saved[model], folder)
    edit(folder)
    with pytest.raises(EncoderError, match=message) as caught:
        load_huggingface(str(folder))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value), "a message names no folder above the model's own"


ACCEPTED: list[tuple[str, str, Edit]] = [
    ("without its pooler", "bert", without("pooler")),
    ("without the decoder", "whisper", without("decoder.layers")),
    (
        "without metadata",
        "bert",
        lambda f: save_file(load_file(f / "model.safetensors"), f / "model.safetensors"),
    ),
    ("in two files", "bert", sharded),
    ("beside a pickle", "bert", content("pytorch_model.bin", "not even a pickle")),
]


@pytest.mark.parametrize(("name", "model", "edit"), ACCEPTED, ids=[case[0] for case in ACCEPTED])
def test_what_no_hidden_state_depends_on_may_differ(
    name: str, model: str, edit: Edit, saved: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved[model], folder)
    edit(folder)
    sample = "The five zebras" if model == "bert" else (torch.zeros(4000).numpy(), 16_000)
    changed = encode(load_huggingface(str(folder)), sample)
    assert torch.equal(changed.hidden, encode(load_huggingface(str(saved[model])), sample).hidden)


def test_a_tokenizer_that_knows_more_than_the_weights(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny.save_text(tmp_path / "more", "gpt2", tokenizer=tiny.byte_level)
    small = tiny.save_text(tmp_path / "fewer", "gpt2")
    for file in ("config.json", "model.safetensors"):
        shutil.copy(small / file, folder / file)
    with pytest.raises(
        EncoderError, match=r"knows piece \d+, but its weights hold only 90; they do not belong"
    ):
        encode(load_huggingface(str(folder)), "\u00ff\u00fe zebra")


def test_code_of_a_repository_is_never_run(saved: dict[str, Path], tmp_path: Path) -> None:
    folder, trace = tmp_path / "code", tmp_path / "trace"
    shutil.copytree(saved["bert"], folder)
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')\n", encoding="utf-8")
    auto_map = {"AutoConfig": "own.Config", "AutoModel": "own.Model", "AutoTokenizer": ["own.T", "own.T"]}
    settings(auto_map=auto_map)(folder)
    settings("tokenizer_config.json", auto_map=auto_map)(folder)
    assert load_huggingface(str(folder)).n_layers == 3  # the library's own class, as for any BERT
    settings(model_type="own")(folder)
    with pytest.raises(EncoderError, match="is not an encoder that the installed transformers knows"):
        load_huggingface(str(folder))
    assert not trace.exists()


def test_weights_hash(saved: dict[str, Path], tmp_path: Path) -> None:
    file = saved["bert"] / "model.safetensors"
    assert (
        load_huggingface(str(saved["bert"])).weights_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    )
    shutil.copytree(saved["bert"], tmp_path / "two")
    sharded(tmp_path / "two")
    files = weight_files(EncoderFiles("two", tmp_path / "two", "local"))
    assert [file.name for file in files] == [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    both = hashlib.sha256(files[0].read_bytes() + files[1].read_bytes()).hexdigest()
    assert weights_sha256(files) == both == load_huggingface(str(tmp_path / "two")).weights_sha256


def test_a_model_larger_than_memory(saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    count = sum(tensor.numel() for tensor in load_file(saved["bert"] / "model.safetensors").values())
    monkeypatch.setattr("daam_core.backbones.huggingface.pretrained.memory_bytes", lambda: 4 * count)
    assert load_huggingface(str(saved["bert"])).n_layers == 3
    monkeypatch.setattr("daam_core.backbones.huggingface.pretrained.memory_bytes", lambda: 4 * count - 1)
    with pytest.raises(
        EncoderError, match=r"^'bert' needs 0\.0 GB of memory in float32, and this computer has"
    ):
        load_huggingface(str(saved["bert"]))


def test_memory_of_this_computer() -> None:
    found = memory_bytes()
    assert found is None or 1 << 28 < found < 1 << 50


def test_modality_and_revision_of_a_folder(saved: dict[str, Path]) -> None:
    bert = str(saved["bert"])
    assert load_huggingface(bert, revision="local", modality="text").name == "bert"
    with pytest.raises(EncoderError, match=r"^The encoder 'bert' takes text, not image\.$"):
        load_huggingface(bert, modality="image")
    with pytest.raises(
        EncoderError, match=r"^'bert' is a folder on this computer and has no revision 'main'"
    ):
        load_huggingface(bert, revision="main")


@pytest.mark.parametrize(
    "name", ["", " ", "./missing", "/missing/folder", "a/b/c", "two words", "../up", "a--b/c", "-x"]
)
def test_names_that_are_neither_folder_nor_hub_id(name: str) -> None:
    with pytest.raises(
        EncoderError, match=r"^There is no folder '.*', and it is not a hub id; give an existing folder"
    ):
        load_huggingface(name)


# The hub


def cache(saved: Path, hub_cache: Path, *, commit: str = COMMIT, names: str = "*") -> Path:
    """A model as the hub's client keeps it, its main branch at ``commit``."""
    repository = hub_cache / "models--org--tiny"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for file in saved.glob(names):
        shutil.copy(file, snapshot / file.name)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    return snapshot


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_cached_model_is_pinned_to_its_commit(
    revision: str | None, saved: dict[str, Path], offline: Path
) -> None:
    cache(saved["bert"], offline)
    backbone = load_huggingface("org/tiny", revision=revision)
    assert (backbone.name, backbone.revision) == ("org/tiny", COMMIT)
    local = load_huggingface(str(saved["bert"]))
    assert backbone.weights_sha256 == local.weights_sha256
    assert backbone.preprocessing == local.preprocessing
    assert torch.equal(encode(backbone, "five zebras").hidden, encode(local, "five zebras").hidden)


@pytest.mark.parametrize("revision", ["v2", "f" * 40])
def test_another_revision_than_the_cached_one(revision: str, saved: dict[str, Path], offline: Path) -> None:
    cache(saved["bert"], offline)
    with pytest.raises(
        EncoderError, match=rf"^'org/tiny' at revision '{revision}' is not in the local cache and the hub"
    ):
        load_huggingface("org/tiny", revision=revision)


def test_not_cached_and_no_network(offline: Path) -> None:
    expected = (
        r"^'org/none' is not in the local cache and the hub cannot be reached; connect .* give a folder"
    )
    with pytest.raises(EncoderError, match=expected):
        load_huggingface("org/none")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_asked_of_the_hub(preset: Preset, offline: Path) -> None:
    with pytest.raises(EncoderError, match=rf"^'{preset.name}' is not in the local cache and the hub"):
        load_huggingface(preset.name, modality=preset.modality)


def test_half_cached_and_no_network(saved: dict[str, Path], offline: Path) -> None:
    cache(saved["bert"], offline, names="config.json")
    with pytest.raises(EncoderError, match=rf"^'org/tiny' at revision '{COMMIT}' is not in the local cache"):
        load_huggingface("org/tiny")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, saved: dict[str, Path], tmp_path: Path) -> "Hub":
    """A hub whose client's two calls are answered from a folder, and what was asked of it."""
    made = Hub(saved["bert"], tmp_path / "snapshots" / COMMIT)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", made.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "model_info", made.model_info)
    return made


class Hub:
    def __init__(self, origin: Path, snapshot: Path) -> None:
        self.origin, self.snapshot = origin, snapshot
        self.asked: list[tuple[str, str | None]] = []
        self.names: set[str] | None = None
        self.failure: Exception | None = None

    def snapshot_download(
        self, name: str, *, revision: str | None, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> str:
        if self.failure:
            raise self.failure
        self.asked.append((",".join(allow_patterns), revision))
        self.snapshot.mkdir(parents=True, exist_ok=True)
        files = [file.name for pattern in allow_patterns for file in self.origin.glob(pattern)]
        for file in huggingface_hub.utils.filter_repo_objects(
            files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
        ):
            shutil.copy(self.origin / file, self.snapshot / file)
        return str(self.snapshot)

    def model_info(self, name: str, *, revision: str) -> Any:
        names = self.names or {file.name for file in self.origin.iterdir()}
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in names])


def test_a_download_is_pinned_to_the_commit_found_first(hub: Hub) -> None:
    backbone = load_huggingface("org/tiny", revision="main")
    assert backbone.revision == COMMIT
    (first, first_revision), (second, second_revision) = hub.asked
    assert (first, first_revision, second_revision) == ("config.json", "main", COMMIT)
    assert "model.safetensors" in second
    assert ".bin" not in second


def test_nothing_large_is_fetched_where_there_are_no_safetensors(hub: Hub) -> None:
    hub.names = {"config.json", "pytorch_model.bin", "vocab.txt"}
    with pytest.raises(
        EncoderError, match=r"^'org/tiny' has no model\.safetensors, .* a revision that holds safetensors"
    ):
        load_huggingface("org/tiny")
    assert [patterns for patterns, _ in hub.asked] == ["config.json"]


def test_nothing_large_is_fetched_of_an_unsupported_type(hub: Hub, tmp_path: Path) -> None:
    hub.origin = tmp_path / "own"
    hub.origin.mkdir()
    content("config.json", '{"model_type": "own"}')(hub.origin)
    with pytest.raises(EncoderError, match=r"^'org/tiny' is of type 'own', which is not an encoder that "):
        load_huggingface("org/tiny")
    assert [patterns for patterns, _ in hub.asked] == ["config.json"]


class Answer(errors.Response):
    """A refusal that answers no particular request."""

    request = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            errors.GatedRepoError("", response=Answer(403)),
            r"^'org/tiny' is given out only to people who accepted its licence",
        ),
        (
            errors.RepositoryNotFoundError("", response=Answer(404)),
            r"^'org/tiny' is neither a folder on this computer nor a hub",
        ),
        (
            errors.RevisionNotFoundError("", response=Answer(404)),
            r"^The hub repository 'org/tiny' has no revision 'v9'",
        ),
        (
            errors.HfHubHTTPError("503 busy\nid 7", response=Answer(503)),
            r"^The hub did not deliver 'org/tiny' at revision 'v9': 503 busy$",
        ),
        (
            errors.LocalEntryNotFoundError("x"),
            r"^'org/tiny' at revision 'v9' is not in the local cache and the hub cannot be reached",
        ),
        (errors.OfflineModeIsEnabled("x"), r"is not in the local cache and the hub cannot be reached"),
        (
            OSError(28, "No space left on device"),
            r"^'org/tiny' at revision 'v9' could not be fetched from the hub: .*No space left",
        ),
    ],
)
def test_what_the_hub_refuses(hub: Hub, failure: Exception, message: str) -> None:
    hub.failure = failure
    with pytest.raises(EncoderError, match=message) as caught:
        load_huggingface("org/tiny", revision="v9")
    assert caught.value.__cause__ is failure
    assert "\n" not in str(caught.value)
