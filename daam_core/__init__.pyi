"""What the package offers; read by type checkers, and by ``__init__.py`` when something is asked for."""

from .attaching import Attached as Attached
from .attaching import Prepared as Prepared
from .attaching import attach as attach
from .attaching import show as show
from .configuration import ModelConfig as ModelConfig
from .errors import DaamError as DaamError
from .explaining import explain as explain
from .explaining import explain_encoding as explain_encoding
from .explaining_many import explain_each as explain_each
from .explaining_many import explain_many as explain_many
from .importance import importance_factor as importance_factor
from .importance import layer_contribution as layer_contribution
from .importance import token_attribution as token_attribution
from .locating import built_in_models as built_in_models
from .model import DaamClassifier as DaamClassifier
from .result import Explanation as Explanation
from .trained import TrainedClassifier as TrainedClassifier
from .trained import load_model as load_model
from .version import __version__ as __version__
