"""Numbers that people read off an explanation; no drawing, no files."""
