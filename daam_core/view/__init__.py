"""The interactive view: what it is given, where it is shown (a page, a notebook), its scripts in ``web/``."""
