"""The interactive view: what it is given, the page that holds it, and its script in ``web/``."""
