"""Any Hugging Face encoder of sound, text or pictures, by hub id or folder.

The weights are read from safetensors only, no code of a repository is run, and the revision is pinned to
the commit that was found. transformers itself is loaded on first use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from daam_core.backbones.base import Backbone
from daam_core.backbones.huggingface.hub import fetch, locate, read_config, weight_files, weights_sha256
from daam_core.errors import EncoderError
from daam_core.inputs import MODALITIES, Modality


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
_TEXT = "daam_core.backbones.huggingface.text"
_VISION = "daam_core.backbones.huggingface.vision"
_PATCHES = (_VISION, "PretrainedPatches")

_WAVEFORM_TYPES = "wavlm hubert wav2vec2 wav2vec2-conformer data2vec-audio unispeech unispeech-sat"
_BERT_LIKE_TYPES = (
    "bert roberta distilbert deberta deberta-v2 electra albert camembert xlm-roberta mpnet modernbert "
    "convbert ernie rembert roformer nomic_bert eurobert"
)
_DECODER_TYPES = (
    "gpt2 gpt_neo gpt_neox gptj opt bloom falcon llama mistral mixtral qwen2 qwen3 gemma gemma2 gemma3_text "
    "phi phi3 olmo olmo2 stablelm smollm3 starcoder2 granite cohere"
)
_PATCH_TYPES = "vit beit deit data2vec-vision dinov2 dinov2_with_registers vit_msn ijepa"
_STAGE_TYPES = "swin swinv2 focalnet convnext convnextv2 resnet regnet pvt_v2"

FAMILIES = (
    Family("audio", (_AUDIO, "PretrainedWaveform"), tuple(_WAVEFORM_TYPES.split())),
    Family("audio", (_AUDIO, "PretrainedWhisper"), ("whisper",), "WhisperModel", "encoder"),
    Family("text", (_TEXT, "PretrainedText"), tuple(f"{_BERT_LIKE_TYPES} {_DECODER_TYPES}".split())),
    Family("image", _PATCHES, tuple(_PATCH_TYPES.split())),
    Family("image", _PATCHES, ("clip", "clip_vision_model"), "CLIPVisionModel"),
    Family("image", _PATCHES, ("siglip", "siglip_vision_model"), "SiglipVisionModel"),
    Family("image", (_VISION, "PretrainedStages"), tuple(_STAGE_TYPES.split())),
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


def load_huggingface(name: str, *, revision: str | None = None, modality: Modality | None = None) -> Backbone:
    """An encoder by hub id or folder, float32 on the CPU, frozen.

    Args:
        name: a hub id such as ``microsoft/wavlm-large``, or the folder of a model that
            ``save_pretrained`` wrote together with its tokenizer, feature extractor or image processor.
        revision: branch, tag or commit of a hub repository, by default its main branch; the encoder's
            ``revision`` is the commit found. ``local`` for a folder.
        modality: refuse an encoder of another modality.

    Raises:
        EncoderError: it cannot be found or fetched, is not an encoder of a supported model type, has
            no safetensors, or its files are damaged or do not belong together.
    """
    files = locate(name, revision=revision)
    config = read_config(files)
    family = _family(config, files.name)
    if modality not in (None, family.modality):
        raise EncoderError(f"The encoder '{files.name}' takes {family.modality}, not {modality}.")
    if "quantization_config" in config:
        raise EncoderError(
            f"The weights of '{files.name}' are quantised, which needs packages that are not used here; "
            "give the original model."
        )
    module = import_module(family.adapter[0])
    files = fetch(files, needs=module.NEEDS)
    # Hashed first: weights that cannot even be read are found before a large model is built.
    sha256 = weights_sha256(weight_files(files))

    from daam_core.backbones.huggingface.pretrained import load_pretrained

    model = load_pretrained(files, model_class=family.model_class, part=family.part)
    adapter: Callable[..., Backbone] = getattr(module, family.adapter[1])
    return adapter(files, model, sha256=sha256)


def _family(config: Mapping[str, object], name: str) -> Family:
    model_type = config["model_type"]
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    raise EncoderError(
        f"'{name}' is of type '{model_type}', which is not a supported encoder; supported are {_supported()}."
    )


def _supported() -> str:
    return "; ".join(
        f"for {modality}: "
        + ", ".join(kind for family in FAMILIES if family.modality == modality for kind in family.model_types)
        for modality in MODALITIES
    )
