"""The explained sound or picture in a form that a web page can show without further requests."""

import base64
import io
import math
import warnings

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs import Input, Picture, Sound

ENVELOPE_PER_SECOND = 200  # pairs of lowest and highest sample
MAX_ENVELOPE = 30_000
MEL_BANDS = 80
MEL_TOP_HZ = 8000
MAX_MEL_FRAMES = 3000
DYNAMIC_RANGE_DB = 80.0
WINDOW_SECONDS = 0.025
BLOCK_FRAMES = 4096  # spectra computed at a time: bounds the memory a long sound takes
MAX_EMBEDDED_SECONDS = 120.0
MAX_PICTURE_SIDE = 768


def media_of(shown: Input, *, url: str | None = None) -> dict[str, object] | None:
    """Waveform and spectrogram, or the picture, as it was explained; None for a text.

    Args:
        shown: the explained input; a trimmed sound begins where it was cut from the clip.
        url: where the page can play a sound from; without, the sound itself is put into the result.
    """
    if isinstance(shown, Sound):
        start = 0.0 if shown.change is None else shown.change.start
        return sound_media(shown.samples, shown.rate, url=url, start=start)
    return picture_media(shown.rgb) if isinstance(shown, Picture) else None


def sound_media(
    samples: np.ndarray, rate: int, *, url: str | None = None, embed: bool = True, start: float = 0.0
) -> dict[str, object]:
    """Waveform, mel spectrogram and, where it is short enough, the sound itself.

    Args:
        samples: ``[N]`` mono, floating point, about −1 to 1.
        rate: samples a second.
        url: where the page can play the sound from.
        embed: without ``url``, put the sound into the result as 16-bit WAV, up to two minutes of it;
            a longer sound is shown, but cannot be played.
        start: where a trimmed sound begins in the clip it was cut from, in seconds: a comparison with
            that clip goes by the clip's time.

    Returns:
        ``{"audio": …}`` for :func:`~daam_core.view.payload.view_payload`; see ``web/types.js``.

    Raises:
        InputError: not a mono sound, empty, or not finite.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1 or samples.size == 0 or rate <= 0 or not np.isfinite(samples).all():
        raise InputError(
            f"A sound to show needs mono samples [N] of finite numbers and a positive rate, got shape "
            f"{list(samples.shape)} at {rate} Hz."
        )
    duration = samples.size / rate
    if url is None and embed and duration <= MAX_EMBEDDED_SECONDS:
        url = f"data:audio/wav;base64,{_base64(wav_bytes(samples, rate))}"
    audio: dict[str, object] = {
        "duration": duration,
        "start": start,
        "envelope": _envelope(samples, duration),
        "mel": _mel_picture(samples, rate),
    }
    if url is not None:
        audio["url"] = url
    return {"audio": audio}


def picture_media(picture: object, *, max_side: int = MAX_PICTURE_SIDE) -> dict[str, object]:
    """A picture as a JPEG inside the page, scaled down to ``max_side`` pixels.

    Args:
        picture: Pillow image, or array ``[height, width]`` or ``[height, width, 3]`` of uint8.
        max_side: longest side in pixels.

    Returns:
        ``{"image": {"url", "width", "height"}}``; width and height are the original's.

    Raises:
        InputError: neither a Pillow image nor such an array.
    """
    from PIL import Image

    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
            raise InputError(
                "A picture to show must be a Pillow image or an array [height, width(, 3)] of uint8, got "
                f"{picture.dtype} of shape {list(picture.shape)}."
            )
        picture = Image.fromarray(picture)
    if not isinstance(picture, Image.Image):
        raise InputError(
            f"A picture to show must be a Pillow image or an array, got {type(picture).__name__}."
        )
    width, height = picture.size
    small = picture.convert("RGB")
    small.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=88)
    url = f"data:image/jpeg;base64,{_base64(buffer.getvalue())}"
    return {"image": {"url": url, "width": width, "height": height}}


def wav_bytes(samples: np.ndarray, rate: int) -> bytes:
    """A mono sound as a 16-bit WAV file; louder than ±1 is clipped."""
    import soundfile

    buffer = io.BytesIO()
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    soundfile.write(buffer, pcm, int(rate), format="WAV")
    return buffer.getvalue()


def mel_power(samples: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Mel spectrogram in power (HTK's scale, filters of height 1), and the frequency it goes up to.

    Frames are half a window apart; those of a long sound are averaged in groups, so that there are
    at most :data:`MAX_MEL_FRAMES`.

    Returns:
        ``[bands, frames]`` and hertz.
    """
    from librosa.feature import melspectrogram

    size = max(64, 1 << math.ceil(math.log2(WINDOW_SECONDS * rate)))
    hop = size // 2
    count = max(1, math.ceil(samples.size / hop))
    group = math.ceil(count / MAX_MEL_FRAMES)
    frames = math.ceil(count / group)
    padded = np.zeros((frames * group - 1) * hop + size, dtype=np.float32)
    padded[hop // 2 : hop // 2 + samples.size] = samples[: padded.size - hop // 2]
    top = min(MEL_TOP_HZ, rate / 2)
    power = np.zeros((MEL_BANDS, frames), dtype=np.float64)
    step = max(1, BLOCK_FRAMES // group)
    for first in range(0, frames, step):
        last = min(first + step, frames)
        block = padded[first * group * hop : (last * group - 1) * hop + size]
        with warnings.catch_warnings():
            # A window of 25 ms cannot tell the lowest bands apart at every rate; they stay dark.
            warnings.filterwarnings("ignore", "Empty filters detected", UserWarning)
            bands = melspectrogram(
                y=block,
                sr=rate,
                n_fft=size,
                hop_length=hop,
                center=False,
                n_mels=MEL_BANDS,
                fmax=top,
                htk=True,
                norm=None,
            )
        power[:, first:last] = bands.reshape(MEL_BANDS, -1, group).mean(axis=2)
    return power, top


def _mel_picture(samples: np.ndarray, rate: int) -> dict[str, object]:
    power, top = mel_power(samples, rate)
    loudness = 10 * np.log10(np.maximum(power, 1e-12))
    low = loudness.max() - DYNAMIC_RANGE_DB
    shade = np.round(255 * (loudness - low).clip(0, DYNAMIC_RANGE_DB) / DYNAMIC_RANGE_DB).astype(np.uint8)
    if power.max() <= 0:  # silence is not "loud everywhere"
        shade[:] = 0
    bands, frames = shade.shape
    return {"bands": bands, "frames": frames, "top_hz": round(top), "data": _base64(shade.tobytes())}


def _envelope(samples: np.ndarray, duration: float) -> dict[str, object]:
    """Lowest and highest sample of equal parts, as signed bytes of the loudest sample."""
    count = min(samples.size, MAX_ENVELOPE, max(1, round(duration * ENVELOPE_PER_SECOND)))
    starts = np.arange(count) * samples.size // count
    peak = float(np.abs(samples).max())
    pairs = np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)], axis=1)
    scaled = np.round(127 * pairs / peak) if peak > 0 else np.zeros_like(pairs)
    return {"count": count, "peak": peak, "data": _base64(scaled.astype(np.int8).tobytes())}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
