"""Any Hugging Face encoder of sound, text or pictures, by hub id or folder.

The weights are read from safetensors only, no code of a repository is run, and the revision is pinned to
the commit that was found. transformers itself is loaded on first use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from daam_core.backbones.base import Backbone
from daam_core.backbones.huggingface.hub import (
    TIMM,
    EncoderFiles,
    fetch,
    locate,
    read_config,
    weight_files,
    weights_sha256,
)
from daam_core.backbones.placing import Placing
from daam_core.errors import EncoderError, first_line
from daam_core.inputs import MODALITIES, Modality
from daam_core.plain import PlainObject


@dataclass(frozen=True)
class Family:
    """Model types that are read in the same way.

    Attributes:
        modality: what they take.
        adapter: module and class that make a :class:`Backbone` of them.
        model_types: as in a configuration's ``model_type``; each is tested.
        model_class: the class in transformers that holds the encoder.
        part: the encoder's attribute in it, None where it is the encoder.
    """

    modality: Modality
    adapter: tuple[str, str]
    model_types: tuple[str, ...]
    model_class: str = "AutoModel"
    part: str | None = None


_AUDIO = "daam_core.backbones.huggingface.audio"
_SPECTROGRAMS = "daam_core.backbones.huggingface.spectrograms"
_TEXT = "daam_core.backbones.huggingface.text"
_VISION = "daam_core.backbones.huggingface.vision"
_PATCHES, _STAGES = (_VISION, "PretrainedPatches"), (_VISION, "PretrainedStages")

_WAVEFORM_TYPES = "wavlm hubert wav2vec2 wav2vec2-conformer data2vec-audio unispeech unispeech-sat sew sew-d"
_BERT_LIKE_TYPES = (
    "bert roberta distilbert deberta deberta-v2 electra albert camembert xlm-roberta mpnet modernbert "
    "convbert ernie rembert roformer nomic_bert eurobert xlnet"
)
_DECODER_TYPES = (
    "gpt2 gpt_neo gpt_neox gptj opt bloom falcon llama mistral mixtral qwen2 qwen3 gemma gemma2 gemma3_text "
    "phi phi3 olmo olmo2 stablelm smollm3 starcoder2 granite cohere"
)
_PATCH_TYPES = "vit beit deit data2vec-vision dinov2 dinov2_with_registers dinov3_vit vit_msn vit_mae ijepa"
_STAGE_TYPES = (
    "swin swinv2 hiera focalnet convnext convnextv2 dinov3_convnext resnet regnet pvt_v2 efficientnet "
    "mobilevit mobilevitv2"
)
_WORDS = (_TEXT, "PretrainedText")

#: The first that fits is taken; where a type stands in several modalities, such as CLIP's, that is by the
#: modality asked for.
FAMILIES = (
    Family("audio", (_AUDIO, "PretrainedWaveform"), tuple(_WAVEFORM_TYPES.split())),
    Family("audio", (_AUDIO, "PretrainedWhisper"), ("whisper",), "WhisperModel", "encoder"),
    Family("audio", (_SPECTROGRAMS, "PretrainedAst"), ("audio-spectrogram-transformer",)),
    Family("audio", (_SPECTROGRAMS, "PretrainedWav2Vec2Bert"), ("wav2vec2-bert",)),
    Family("audio", (_SPECTROGRAMS, "PretrainedClap"), ("clap",), "ClapModel", "audio_model"),
    Family("audio", (_SPECTROGRAMS, "PretrainedClap"), ("clap_audio_model",), "ClapAudioModel"),
    Family("image", _PATCHES, tuple(_PATCH_TYPES.split())),
    Family("image", _PATCHES, ("clip", "clip_vision_model"), "CLIPVisionModel"),
    Family("image", _PATCHES, ("siglip", "siglip_vision_model"), "SiglipVisionModel"),
    Family(
        "image",
        (_VISION, "PretrainedFreePatches"),
        ("siglip2", "siglip2_vision_model"),
        "Siglip2VisionModel",
    ),
    Family("image", _STAGES, tuple(_STAGE_TYPES.split())),
    Family("text", _WORDS, tuple(f"{_BERT_LIKE_TYPES} {_DECODER_TYPES}".split())),
    Family("text", _WORDS, ("t5",), "T5EncoderModel"),
    Family("text", _WORDS, ("mt5",), "MT5EncoderModel"),
    Family("text", _WORDS, ("umt5",), "UMT5EncoderModel"),
    Family("text", _WORDS, ("clip", "clip_text_model"), "CLIPTextModel"),
    Family("text", _WORDS, ("siglip", "siglip_text_model"), "SiglipTextModel"),
    Family("text", _WORDS, ("siglip2", "siglip2_text_model"), "Siglip2TextModel"),
    Family("text", _WORDS, ("clap",), "ClapModel", "text_model"),
    Family("text", _WORDS, ("clap_text_model",), "ClapTextModel"),
)


@dataclass(frozen=True)
class Preset:
    """An encoder that the paper used: L layers of F features."""

    name: str
    modality: Modality
    n_layers: int
    n_features: int
    note: str


#: The paper's own three (WavLM-large, Llama 2 13B, BEiT-large; arXiv 2401.11143v4) under their hub ids.
PRESETS = (
    Preset(
        "microsoft/wavlm-large",
        "audio",
        24,
        1024,
        "Speech, 0.3 billion parameters. Its main branch has been published as a .bin file only: convert it "
        "once, or name a revision that holds safetensors.",
    ),
    Preset(
        "meta-llama/Llama-2-13b-hf",
        "text",
        40,
        5120,
        "Text, 13 billion parameters: 52 GB of memory in float32, and Meta's licence to accept on the hub.",
    ),
    Preset(
        "microsoft/beit-large-patch16-224-pt22k",
        "image",
        24,
        1024,
        "Pictures, 0.3 billion parameters.",
    ),
)


def load_huggingface(
    name: str,
    *,
    revision: str | None = None,
    modality: Modality | None = None,
    placing: Placing | None = None,
) -> Backbone:
    """An encoder by hub id or folder, frozen.

    Args:
        name: a hub id such as ``microsoft/wavlm-large``, or the folder of a model that
            ``save_pretrained`` wrote together with its tokenizer, feature extractor or image processor.
        revision: branch, tag or commit of a hub repository, by default its main branch; the encoder's
            ``revision`` is the commit found. ``local`` for a folder.
        modality: refuse an encoder of another modality.
        placing: where it computes, and in which numbers; by default on the CPU in float32.

    Raises:
        EncoderError: it cannot be found or fetched, is not an encoder of a supported model type, has
            no safetensors, or its files are damaged or do not belong together.
    """
    files = locate(name, revision=revision)
    config = read_config(files)
    if "quantization_config" in config:
        raise EncoderError(
            f"The weights of '{files.name}' are quantised, which needs packages that are not used here; "
            "give the original model."
        )
    placing = placing or Placing()
    if config["model_type"] == TIMM:
        if modality not in (None, "image"):
            raise EncoderError(f"The encoder '{files.name}' takes image, not {modality}.")
        from daam_core.backbones.huggingface.timm_models import load_timm

        return load_timm(files, config, placing)
    family = _family(config, files.name, modality)
    if family is None:
        return _load_other(config, files, modality, placing)
    return _load(family, files, placing)


def _load(family: Family, files: EncoderFiles, placing: Placing) -> Backbone:
    module = import_module(family.adapter[0])
    files = fetch(files, needs=module.NEEDS)
    # Hashed first: weights that cannot even be read are found before a large model is built.
    sha256 = weights_sha256(weight_files(files))

    from daam_core.backbones.huggingface.pretrained import load_pretrained

    model = load_pretrained(files, model_class=family.model_class, part=family.part, placing=placing)
    adapter: Callable[..., Backbone] = getattr(module, family.adapter[1])
    return adapter(files, model, sha256=sha256)


def _family(config: PlainObject, name: str, modality: Modality | None) -> Family | None:
    """The family of a model type; None for a type that is in none."""
    families = [family for family in FAMILIES if config["model_type"] in family.model_types]
    for family in families:
        if modality in (None, family.modality):
            return family
    if families:
        raise EncoderError(f"The encoder '{name}' takes {families[0].modality}, not {modality}.")
    return None


def _load_other(
    config: PlainObject, files: EncoderFiles, modality: Modality | None, placing: Placing
) -> Backbone:
    """A model of a type that is in no family, read as most models of its modality are.

    Raises:
        EncoderError: transformers does not know it, its shapes are others, or its tokens stand elsewhere.
    """
    from transformers import CONFIG_MAPPING

    model_type = config["model_type"]
    if model_type not in CONFIG_MAPPING:
        raise EncoderError(
            f"'{files.name}' is of type '{model_type}', which is not an encoder that the installed "
            f"transformers knows; types that are tried are {_supported()}."
        )
    found = modality or _modality_of(files)
    part = "encoder" if config.get("is_encoder_decoder") else None
    try:
        backbone = _load(Family(found, _adapter(config, found), (), part=part), files, placing)
        if backbone.modality == "image":
            from daam_core.backbones.huggingface.places import misplaced

            if (wrong := misplaced(backbone)) is not None:
                raise EncoderError(f"its tokens do not stand where patches stand: {wrong}.")
    except (EncoderError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise EncoderError(
            f"'{files.name}' is of type '{model_type}', which has no reader of its own here, and it cannot "
            f"be read as most encoders of {found} can: {first_line(error).rstrip('.')}. Give one of a type "
            f"that is tried, {_supported(found)}."
        ) from error
    return backbone


def _adapter(config: PlainObject, modality: Modality) -> tuple[str, str]:
    if modality == "text":
        return _WORDS
    if modality == "audio":
        return _AUDIO, "PretrainedWaveform"
    return _PATCHES if "patch_size" in config and "depths" not in config else _STAGES


def _modality_of(files: EncoderFiles) -> Modality:
    """What a model takes, by what prepares its inputs."""
    from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, TEXT_FILES

    files = fetch(files, needs=(*SOUND_OR_PICTURE_FILES, *TEXT_FILES))
    settings = "".join(
        (files.folder / name).read_text(encoding="utf-8")
        for name in SOUND_OR_PICTURE_FILES
        if (files.folder / name).is_file()
    )
    found: list[Modality] = []
    found += ["image"] if "image_processor_type" in settings else []
    found += ["audio"] if "feature_extractor_type" in settings else []
    found += ["text"] if any((files.folder / name).is_file() for name in TEXT_FILES) else []
    if len(found) != 1:
        raise EncoderError(
            f"'{files.name}' says it takes {' and '.join(found) or 'nothing that is known'}; say with "
            "modality which is meant."
        )
    return found[0]


def _supported(*modalities: Modality) -> str:
    return "; ".join(
        f"for {modality}: "
        + ", ".join(kind for family in FAMILIES if family.modality == modality for kind in family.model_types)
        for modality in modalities or MODALITIES
    )
