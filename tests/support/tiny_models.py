"""Tiny, randomly initialised transformers models of every supported type, saved to disk as the hub has them.

They show that the loading and reading code is right; they have learned nothing and are never shipped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from daam_core.backbones.huggingface.pretrained import quiet

CORPUS = [
    "The quick brown fox jumps over the lazy dog.",
    "Pack my box with five dozen liquor jugs, then explain why you did.",
    "How vexingly quick daft zebras jump; the five boxing wizards agree.",
]

SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_GPT2: dict[str, Any] = {"n_embd": 16, "n_layer": 3, "n_head": 2}
TEXT_SETTINGS: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 32},
    "albert": {"embedding_size": 8},
    "electra": {"embedding_size": 8},
    "gpt2": _GPT2,
    "gptj": {**_GPT2, "rotary_dim": 4},
    "gpt_neo": {"hidden_size": 16, "num_layers": 3, "num_heads": 2, "attention_types": [[["global"], 3]]},
    "bloom": {"hidden_size": 16, "n_layer": 3, "n_head": 2},
    "opt": {"ffn_dim": 32, "word_embed_proj_dim": 16},
    "gemma": {"head_dim": 8, "num_key_value_heads": 1},
    "gemma2": {"head_dim": 8, "num_key_value_heads": 1},
    "gemma3_text": {"head_dim": 8, "num_key_value_heads": 1},
    "qwen3": {"head_dim": 8, "num_key_value_heads": 1},
    "mixtral": {"num_key_value_heads": 1, "num_local_experts": 2},
    "xlnet": {"d_model": 16, "n_layer": 3, "n_head": 2, "d_inner": 32},
    **{
        kind: {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 3, "num_heads": 2}
        for kind in ("t5", "mt5", "umt5")
    },
    **{
        kind: {"num_key_value_heads": 1}
        for kind in "llama mistral qwen2 phi3 eurobert smollm3 starcoder2 granite stablelm".split()
    },
}
_CONV: dict[str, Any] = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 3, 2),
    "conv_stride": (5, 2, 2),
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
#: Types of several parts, whose text part takes the settings.
_OF_PARTS = ("clip", "siglip", "siglip2", "clap")
_MOBILE = {
    "hidden_sizes": [8, 8, 16],
    "neck_hidden_sizes": [4, 8, 8, 16, 16, 32, 32],
    "num_attention_heads": 2,
    "mlp_ratio": 2.0,
}
_SWIN = {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [1, 1, 1], "num_heads": [1, 2, 2]}
_CONVNEXT = {"hidden_sizes": [4, 8, 16, 32], "depths": [1, 1, 1, 1]}
STAGE_SETTINGS: dict[str, dict[str, Any]] = {
    "swin": {**_SWIN, "window_size": 4},
    "swinv2": {**_SWIN, "window_size": 4},
    "focalnet": {
        "image_size": 32,
        "patch_size": 2,
        "embed_dim": 8,
        "depths": [1, 1, 1],
        "focal_levels": [1, 1, 1],
        "focal_windows": [3, 3, 3],
    },
    "hiera": {
        "image_size": [32, 32],
        "patch_size": [3, 3],
        "patch_stride": [4, 4],
        "patch_padding": [1, 1],
        "embed_dim": 8,
        "depths": [1, 1, 1],
        "num_heads": [1, 1, 2],
        "masked_unit_size": [4, 4],
        "num_query_pool": 2,
    },
    "dinov3_convnext": _CONVNEXT,
    "efficientnet": {
        "image_size": 32,
        "width_coefficient": 0.25,
        "depth_coefficient": 1.0,
        "in_channels": [16, 16, 32, 64],
        "out_channels": [16, 32, 64, 128],
        "kernel_sizes": [3, 3, 3, 3],
        "strides": [1, 2, 2, 1],
        "num_block_repeats": [1, 1, 1, 1],
        "expand_ratios": [1, 2, 2, 2],
        "depthwise_padding": [],
        "hidden_dim": 320,
    },
    "mobilevit": _MOBILE,
    "mobilevitv2": {"width_multiplier": 0.125, "n_attn_blocks": [1, 1, 1]},
    "convnext": _CONVNEXT,
    "convnextv2": _CONVNEXT,
    "resnet": {
        "embedding_size": 4,
        "hidden_sizes": [8, 8, 16, 32],
        "depths": [1, 1, 1, 1],
        "layer_type": "basic",
    },
    "regnet": {
        "embedding_size": 4,
        "hidden_sizes": [8, 8, 16, 32],
        "depths": [1, 1, 1, 1],
        "groups_width": 4,
    },
    "pvt_v2": {"hidden_sizes": [8, 8, 16, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2]},
}


def wordpiece() -> Tokenizer:
    """As BERT's: lower case, pieces with ##, [CLS] and [SEP] around the text."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=90, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def byte_level() -> Tokenizer:
    """As GPT-2's: bytes, a word's leading space belongs to its first piece, no special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, special_tokens=special)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def metaspace() -> Tokenizer:
    """As Llama's: spaces become ▁ without splitting into words first, a beginning-of-text token."""
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(Regex(" "), "▁")]
    )
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=80, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def save_text(
    folder: Path,
    model_type: str,
    *,
    tokenizer: Callable[[], Tokenizer] = wordpiece,
    dtype: torch.dtype | None = None,
    class_name: str = "AutoModel",
    **settings: Any,
) -> Path:
    """A text model with its tokenizer; ``settings`` go to the configuration."""
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(), model_max_length=settings.pop("model_max_length", 10_000)
    )
    fast.save_pretrained(folder)
    others = ("distilbert", "gpt2", "gptj", "gpt_neo", "bloom", "xlnet", "t5", "mt5", "umt5")
    small = {} if model_type in others else SMALL
    own = {**small, **TEXT_SETTINGS.get(model_type, {}), "vocab_size": len(fast)}
    tokens = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    context = {} if model_type in ("xlnet", "t5", "mt5", "umt5") else {"max_position_embeddings": 64}
    all_settings = {**context, **own, **tokens, **settings}
    if model_type in _OF_PARTS:
        other = {"audio_config": CLAP} if model_type == "clap" else {"vision_config": _VISION}
        config = transformers.AutoConfig.for_model(model_type, text_config=all_settings, **other)
    else:
        config = transformers.AutoConfig.for_model(model_type, **all_settings)
    return save_model(folder, config, dtype=dtype, class_name=class_name)


def save_waveform(folder: Path, model_type: str, **settings: Any) -> Path:
    """A speech model on raw samples at 16 kHz; by default its feature extractor normalises them."""
    do_normalize = settings.pop("do_normalize", True)
    extractor = transformers.Wav2Vec2FeatureExtractor(sampling_rate=16_000, do_normalize=do_normalize)
    extractor.save_pretrained(folder)
    config = transformers.AutoConfig.for_model(model_type, **{**SMALL, **_CONV, **settings})
    return save_model(folder, config)


def save_ast(folder: Path, **settings: Any) -> Path:
    """An Audio Spectrogram Transformer of 32 mel bands and 64 frames (0.64 s), in patches of 16 each 10."""
    sizes = {"num_mel_bins": 32, "max_length": 64}
    transformers.ASTFeatureExtractor(**sizes).save_pretrained(folder)
    config = transformers.AutoConfig.for_model(
        "audio-spectrogram-transformer", **{**SMALL, **sizes, **settings}
    )
    return save_model(folder, config)


def save_wav2vec2_bert(folder: Path, **settings: Any) -> Path:
    """A wav2vec2-BERT of 8 mel bands; its layers are Conformers."""
    transformers.SeamlessM4TFeatureExtractor(feature_size=8, num_mel_bins=8).save_pretrained(folder)
    config = transformers.AutoConfig.for_model(
        "wav2vec2-bert", **{**SMALL, "feature_projection_input_dim": 16, **settings}
    )
    return save_model(folder, config)


#: CLAP's audio part for one second at 16 kHz, its spectrogram in four pieces of time below each other.
CLAP: dict[str, Any] = {
    "num_mel_bins": 16,
    "spec_size": 64,
    "patch_size": 2,
    "patch_stride": (2, 2),
    "window_size": 4,
    "hidden_size": 32,
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1, 1],
    "num_attention_heads": [1, 2, 2],
    "num_hidden_layers": 3,
    "drop_path_rate": 0.0,
}


def save_clap(folder: Path, model_type: str = "clap_audio_model", *, fused: bool = False) -> Path:
    """CLAP's audio part alone, or with its text part as published."""
    transformers.ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=16_000,
        hop_length=80,
        max_length_s=1,
        fft_window_size=256,
        frequency_max=8000,
        truncation="fusion" if fused else "rand_trunc",
    ).save_pretrained(folder)
    audio = {**CLAP, "enable_fusion": fused}
    if model_type == "clap":
        config = transformers.ClapConfig(audio_config=audio, text_config={**SMALL, "vocab_size": 50})
        return save_model(folder, config)
    return save_model(folder, transformers.ClapAudioConfig(**audio), class_name="ClapAudioModel")


def save_whisper(folder: Path, *, seconds: int = 30, class_name: str = "WhisperModel") -> Path:
    """Encoder and decoder, as published checkpoints are."""
    transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=seconds).save_pretrained(folder)
    config = transformers.WhisperConfig(
        vocab_size=50,
        num_mel_bins=8,
        d_model=16,
        encoder_layers=3,
        encoder_attention_heads=2,
        decoder_layers=1,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=50 * seconds,
        max_target_positions=20,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    return save_model(folder, config, class_name=class_name)


_VISION: dict[str, Any] = {**SMALL, "image_size": 32, "patch_size": 8}


def save_patches(folder: Path, model_type: str, *, processor: str = "ViT", **settings: Any) -> Path:
    """A patch transformer for pictures of 32 × 32 pixels in patches of 8."""
    own = {**_VISION, **settings}
    if model_type in _OF_PARTS:
        text = {**SMALL, "vocab_size": 50}
        config = transformers.AutoConfig.for_model(model_type, vision_config=own, text_config=text)
    else:
        config = transformers.AutoConfig.for_model(model_type, **own)
    if processor == "Siglip2":
        save_processor(folder, processor, patch_size=8, max_num_patches=16)
    else:
        save_processor(folder, processor, size={"height": 32, "width": 32}, do_center_crop=False)
    return save_model(folder, config)


def save_stages(folder: Path, model_type: str, *, processor: str = "ConvNext", **size: Any) -> Path:
    """A hierarchy of three or four stages, for pictures of 32 × 32 pixels unless ``size`` says otherwise."""
    config = transformers.AutoConfig.for_model(model_type, **STAGE_SETTINGS[model_type])
    save_processor(folder, processor, **(size or {"size": {"shortest_edge": 32}, "crop_pct": 0.8}))
    return save_model(folder, config)


def save_processor(folder: Path, kind: str, **settings: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"image_processor_type": f"{kind}ImageProcessor", **settings}
    (folder / "preprocessor_config.json").write_text(json.dumps(content), encoding="utf-8")


def save_model(
    folder: Path, config: Any, *, class_name: str = "AutoModel", dtype: torch.dtype | None = None
) -> Path:
    """Random weights from a fixed seed, larger than the usual start so that layers differ clearly."""
    with quiet():
        torch.manual_seed(0)
        loader = getattr(transformers, class_name)
        model = loader.from_config(config) if class_name.startswith("Auto") else loader(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        (model.to(dtype) if dtype else model).save_pretrained(folder)
    return folder
