"""How large an input may be: every limit of a sound, a picture, a text, and of the file it comes in."""

#: Megabytes of a file that is given on the page, if ``--max-upload-mb`` says nothing else.
MAX_UPLOAD_MB = 25

#: Seconds of a sound, in whatever file it comes.
MIN_SECONDS, MAX_SECONDS = 0.1, 600.0

#: Pixels of a picture as it is decoded. JPEG and JPEG 2000 are decoded smaller where they have more.
MAX_PIXELS = 30_000_000
#: Of WebP, whose decoder takes 16 bytes for each.
MAX_WEBP_PIXELS = 20_000_000
#: Pixels that the header of a file may announce that can be decoded smaller.
MAX_REDUCED_PIXELS = 16 * MAX_PIXELS
#: How many times as long as the other a side may be: encoders make the shorter side some hundreds.
MAX_ASPECT = 200

#: Characters of a text. Encoders have limits of their own, in word pieces.
MAX_CHARACTERS = 50_000

#: A file that lacks up to this share of what its header announces is read, and that is said; one that
#: lacks more is refused.
MISSING_SHARE = 0.05
#: Of an input that is no file on disk: a pipe could go on forever.
MAX_HELD_BYTES = 200_000_000
