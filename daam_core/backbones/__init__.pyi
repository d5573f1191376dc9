"""What the package offers; read by type checkers, and by ``__init__.py`` when something is asked for."""

from .base import Backbone as Backbone
from .loading import load_backbone as load_backbone
from .names import BUILT_IN as BUILT_IN
from .names import BuiltIn as BuiltIn
