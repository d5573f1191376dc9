"""The study that comes along: photographs of groceries, explained by the built-in classifier.

Maps are a hundred times as large as the photographs, so these ship and the study is made the first time that
it is asked for, in some ten seconds; so it is always of the classifier that is there.
"""

import hashlib
from collections.abc import Callable

from filelock import FileLock

from daam_core.backbones.weights import cache_folder
from daam_core.shipped import shipped
from daam_core.study.folder import SCHEMA, VERSION, Study, open_study
from daam_core.study.make import make_study
from daam_core.study.place import FACTS
from daam_core.trained import TrainedClassifier
from daam_core.training.data import load_dataset

MODEL = "image-grocery"
#: The command that makes the same, anywhere.
COMMAND = f"python -m daam_core study assets/photographs/photographs.csv --model {MODEL} --out DIR"


def example_study(
    model: TrainedClassifier, *, on_progress: Callable[[int], object] = lambda _: None
) -> Study:
    """The study of the photographs that come along, from the user's cache or made now.

    Args:
        model: the built-in classifier :data:`MODEL`.
        on_progress: told how many photographs are done, if it is made.

    Raises:
        DaamError: the cache cannot be written to.
    """
    kept_as = hashlib.sha256(repr((model.sha256, VERSION, SCHEMA.names)).encode()).hexdigest()[:16]
    folder = cache_folder() / "studies" / kept_as / "photographs"
    if (folder / FACTS).is_file() and (found := open_study(folder)).complete:
        return found
    dataset = load_dataset(
        shipped("photographs") / "photographs.csv", modality="image", class_names=model.class_names
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):  # of several programs that ask at once, one makes it
        return make_study(model, dataset, folder, command=COMMAND, on_progress=on_progress)
