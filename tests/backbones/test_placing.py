"""Where encoders compute, and in which numbers."""

import pytest

from daam_core.backbones import load_backbone
from daam_core.backbones.placing import Placing, dtype_of
from daam_core.errors import EncoderError


@pytest.mark.parametrize(
    ("device", "dtype", "said"),
    [
        ("cpu", "int8", "There is no dtype 'int8' for encoders; there are float32, bfloat16, float16."),
        ("gpu", "float32", "There is no device 'gpu'; give cpu, cuda, cuda:1 (the second) or mps."),
        (
            "cuda:1",
            "float32",
            "This computer's torch has no device 'cuda:1'; it has cpu. Leave out --device, or install the "
            "torch that is made for it.",
        ),
    ],
)
def test_a_place_that_is_not_there_is_refused(device, dtype, said, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(EncoderError) as caught:
        Placing(device, dtype)
    assert str(caught.value) == said


def test_built_in_encoders_compute_in_one_way():
    with pytest.raises(EncoderError, match=r"^The built-in encoder minilm-l6 computes on the CPU in float32"):
        load_backbone("minilm-l6", dtype="bfloat16")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_numbers_are_part_of_the_preprocessing(dtype):
    assert dtype_of("huggingface-text-1:0123456789ab" + Placing("cpu", dtype).tag) == dtype
