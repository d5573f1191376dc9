"""What was measured of the built-in models, as it comes with the project."""

import json
from pathlib import Path

from daam_core.plain import PlainObject
from daam_core.shipped import shipped
from daam_core.trained import TrainedClassifier

#: Summaries that ``python -m daam_core faithfulness … --json`` printed, by model name.
FOLDER = shipped("faithfulness")


def published(model: TrainedClassifier, *, folder: Path = FOLDER) -> PlainObject | None:
    """The published summary of exactly these weights, or None.

    A summary of other weights under the same name is not this model's, and neither is a damaged one.
    """
    try:
        found = json.loads((folder / f"{Path(model.name).name}.json").read_text(encoding="utf-8"))
        measured = found["provenance"]["checkpoint_sha256"]
        complete = isinstance(found["findings"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if complete and model.sha256 and measured == model.sha256 else None
