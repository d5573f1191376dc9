"""What the package offers; read by type checkers, and by ``__init__.py`` when something is asked for."""

from .opening import Served as Served
from .opening import serve as serve
from .serving import Serving as Serving
