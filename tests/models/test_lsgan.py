"""LSGAN: the paper's settings."""

import harness
import pytest
from small_networks import dcgan_pair

from keras_gans import LSGAN

CASES = [
    harness.case(LSGAN, dcgan_pair, bad_arguments=[({"a": 1.0, "b": 1.0}, "`a` and `b`")]),
]

ROLES = {"LSGAN": harness.Roles(contests=harness.LOGITS)}


def test_paper_settings():
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert config["learning_rate"] == pytest.approx(2e-4)
        assert config["beta_1"] == 0.5
    lsgan = LSGAN(*dcgan_pair())
    assert (lsgan.a, lsgan.b, lsgan.c) == (0, 1, 1)
