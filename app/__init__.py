"""The explorer's web page: sound, text and images in, a decision and its reasons out.

``serve`` opens it from Python; it is imported when it is first asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
