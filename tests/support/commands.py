"""Words of commands for the tests: data sets of letters, quick trainings."""

from tests.support.data import write_table
from tests.support.small import letter_data

STEPS = ("--epochs", "8", "--batch-size", "8", "--learning-rate", "0.01")
QUICK = (*STEPS, "--heads", "2")
#: Of density attention, those that choose the number of heads themselves.
OWN_HEADS = {"daam_v1", "daam_v2", "density_block"}


def letter_table(path, count, *, seed=0):
    texts, labels = letter_data(count, seed=seed)
    names = [("consonants" if label else "vowels") for label in labels]
    rows = [(text, name, f"g{i % 6}") for i, (text, name) in enumerate(zip(texts, names, strict=True))]
    return write_table(path, [("text", "label", "who"), *rows])


def train_words(data, out, *more):
    quick = STEPS if OWN_HEADS & set(map(str, more)) else QUICK
    return ["train", data, "--modality", "text", "--backbone", "minilm-l6", "--out", out, *quick, *more]


def compare_words(data, *more):
    return ["compare", data, "--modality", "text", "--backbone", "minilm-l6", *QUICK, *more]


def leftovers(folder):
    """Half-written things, which start with a dot."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]
