"""Frozen pretrained encoders: three built in, any other by its Hugging Face name or folder.

Importing this package loads no encoder and none of the libraries that encoders need.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
