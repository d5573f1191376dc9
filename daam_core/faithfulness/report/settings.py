"""How much a report measures and what its files are called, checked before anything is read."""

from dataclasses import dataclass, fields

from daam_core.errors import DataError

#: Names of what is written.
PAGE, DATA = "faithfulness.html", "faithfulness.json"


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        inputs: inputs that cells are removed from.
        training_inputs: inputs that classifiers are retrained on.
        sanity_inputs: inputs whose maps are compared with those of a destroyed model.
        quantus_inputs: inputs that quantus' metrics are computed on.
        changed_inputs: inputs that are changed, or taken apart, and encoded again.
        random_orders: random orders of cells for each input.
        training_seeds: classifiers trained for the stability across seeds.
        retraining_seeds: classifiers trained for each choice of layers, and destroyed for each check.
        epochs: upper limit for every retrained classifier.
        seed: which inputs are drawn, and all other draws.
    """

    inputs: int = 200
    training_inputs: int = 1200
    sanity_inputs: int = 50
    quantus_inputs: int = 20
    changed_inputs: int = 20
    random_orders: int = 5
    training_seeds: int = 5
    retraining_seeds: int = 3
    epochs: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # Stability is between seeds, so it takes two.
            smallest = {
                "seed": 0,
                "changed_inputs": 0,
                "inputs": 2,
                "training_seeds": 2,
                "training_inputs": 10,
            }
            least = smallest.get(field.name, 1)
            if value < least:
                raise DataError(f"{field.name} must be at least {least}, got {value}.")
