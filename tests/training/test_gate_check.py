"""Gates that say nothing are named, each head for itself."""

import torch

from daam_core.model import DaamClassifier
from daam_core.training.gate_check import gate_faults
from tests.support.small import letter_config, letter_features


def classifier_with(offset, log_variance):
    classifier = DaamClassifier(letter_config())
    with torch.no_grad():
        classifier.attention.mean_offset[1] = offset
        classifier.attention.log_scaled_variance[1] = log_variance
    return classifier


def test_closed_open_and_constant_gates_are_said_by_head():
    features, _ = letter_features(30)
    assert gate_faults(DaamClassifier(letter_config()), features) == ()
    (closed,) = gate_faults(classifier_with(50.0, 0.0), features)
    assert closed.startswith("Head 1: the gate lets nothing through, it is dead.")
    (opened,) = gate_faults(classifier_with(0.0, 20.0), features)
    assert opened.startswith("Head 1: the gate lets everything through")


def test_inputs_that_are_all_the_same_give_a_constant_gate():
    features = letter_features(1)[0].expand(5, -1, -1)
    (said,) = gate_faults(DaamClassifier(letter_config()), features)
    assert said.startswith("Heads 0, 1: the gate is the same for every input")


def test_a_head_that_is_meant_to_be_open_is_no_fault():
    x, _ = letter_features(20)
    for decoder, said in (("density", False), ("pool", True)):
        classifier = DaamClassifier(letter_config(decoder=decoder))
        classifier.attention.open_head(0, 1.0)
        assert (
            any("Head 0: the gate lets everything" in fault for fault in gate_faults(classifier, x)) == said
        )
