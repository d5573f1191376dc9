"""The DAAM explorer's library: why a density adaptive attention model decided.

What it offers is listed in ``__init__.pyi`` and imported when it is first asked for, so that a command which
needs no classifier (its help, a wrong argument) does not wait for torch.

>>> from daam_core import importance_factor
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
