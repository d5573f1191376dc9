"""Any Hugging Face encoder of sound, text or pictures, by hub id or folder."""
