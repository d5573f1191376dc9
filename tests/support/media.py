"""Small sound and picture files of every kind, made here."""

import io
import struct

import av
import numpy as np
import soundfile
from PIL import Image

RATE = 16_000


def tone(seconds: float = 1.0, rate: int = RATE, *, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def sound_file(
    samples: np.ndarray, rate: int = RATE, *, kind: str = "WAV", subtype: str | None = None
) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def encoded(container: str, codec: str, *, seconds: float = 1.0, rate: int = 48_000) -> bytes:
    """A tone of 440 Hz in a container and codec of FFmpeg's, as phones and browsers write them."""
    stream = io.BytesIO()
    samples = np.round(32767 * tone(seconds, rate)).astype(np.int16)[None]
    with av.open(stream, "w", format=container) as file:
        track = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.rate = rate
        for part in av.AudioResampler(track.format, "mono", rate).resample(frame):
            file.mux(track.encode(part))
        file.mux(track.encode(None))
    return stream.getvalue()


def with_data_size(wav: bytes, size: int) -> bytes:
    """A WAV file whose header announces another number of bytes of sound."""
    at = wav.index(b"data") + 4
    return wav[:at] + struct.pack("<I", size) + wav[at + 4 :]


def picture_file(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def loudest_hertz(samples: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * rate / len(samples)
