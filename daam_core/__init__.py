"""The DAAM explorer's library: why a density adaptive attention model decided.

>>> from daam_core import importance_factor
"""

from daam_core.checkpoint import built_in_models
from daam_core.errors import DaamError
from daam_core.explain import explain, explain_encoding
from daam_core.explain_many import explain_each, explain_many
from daam_core.importance import importance_factor, layer_contribution, token_attribution
from daam_core.model import DaamClassifier, ModelConfig
from daam_core.result import Explanation
from daam_core.trained import TrainedClassifier, load_model
from daam_core.version import __version__

__all__ = [
    "DaamClassifier",
    "DaamError",
    "Explanation",
    "ModelConfig",
    "TrainedClassifier",
    "__version__",
    "built_in_models",
    "explain",
    "explain_each",
    "explain_encoding",
    "explain_many",
    "importance_factor",
    "layer_contribution",
    "load_model",
    "token_attribution",
]
