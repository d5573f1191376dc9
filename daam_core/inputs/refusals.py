"""Why a file cannot be read, and what to do: told by what it is rather than by what it is called."""

import re

from daam_core.errors import InputError
from daam_core.inputs.first_bytes import HEAD, Format, format_of

#: What of each kind can be read, for messages.
READABLE = {
    "sound": "WAV, FLAC, OGG, MP3, M4A, AAC and WebM can be read",
    "picture": "PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP and TIFF can be read",
    "text": "files of plain text can be read",
}
_CONVERT = {"sound": "WAV, FLAC or MP3", "picture": "PNG or JPEG", "text": "plain text"}
_SPELLED_OUT = frozenset({"FLV", "M4A", "MP3", "MP4", "MPEG", "RTF", "XZ"})  # an MP3, but a FLAC
_GIT_LFS = b"version https://git-lfs.github.com/spec/"
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_SVG = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg", re.DOTALL | re.IGNORECASE
)


def unreadable(head: bytes, name: str, kind: str) -> InputError:
    """The refusal of a file that no decoder took.

    Args:
        head: its first bytes.
        name: what messages call it.
        kind: what it should be: ``sound``, ``picture`` or ``text``.
    """
    found = format_of(head)
    if found is not None:
        return InputError(f"{name} {_of_format(found, kind)}")
    said = _of_text(head, kind)
    if said:
        return InputError(f"{name} {said}")
    return InputError(f"{name} is not a {kind} that can be read, or is damaged; {READABLE[kind]}.")


def _of_format(found: Format, kind: str) -> str:
    article = "an" if found.name[0] in "AEIOU" or found.name in _SPELLED_OUT else "a"
    if found.holds == kind:
        return (
            f"begins like {found.name}, but it is truncated, damaged or of a kind that cannot be read; "
            f"save it anew as {_CONVERT[kind]}."
        )
    if found.holds == "archive":
        return f"is {article} {found.name} archive, not a {kind}; unpack it and give a file of it."
    if found.holds == "video" and kind == "sound":
        return f"is {article} {found.name} film, which cannot be read; save its sound as {_CONVERT[kind]}."
    what = {"sound": " sound", "picture": " picture", "video": " film"}.get(found.holds, " file")
    return f"is {article} {found.name}{what}, not a {kind}, whatever its name says; {READABLE[kind]}."


def _of_text(head: bytes, kind: str) -> str:
    """What a file of characters is; empty where it is none."""
    if head.startswith(_GIT_LFS):
        return f"is only a pointer of Git LFS, not the {kind} itself; get it with: git lfs pull"
    if _SVG.match(head):
        return (
            f"is an SVG drawing, not a {kind} of pixels; export it as PNG."
            if kind == "picture"
            else (f"is an SVG drawing, not a {kind}; {READABLE[kind]}.")
        )
    if _PAGE.match(head):
        return (
            f"is a web page (HTML), not a {kind}: its address led to a page instead of the file; "
            "download it again."
        )
    if not head.strip(b"\0"):
        return "holds nothing but zero bytes: it was never written in full; get it again."
    try:
        text = head[: HEAD - 4].decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if any(ord(letter) < 9 for letter in text):
        return ""
    return f"is a text, not a {kind}; {READABLE[kind]}."
