"""Ports: what each model can be asked for, and that nothing outside asks for its family."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import BY_NAME, CASES

import keras_gans
from keras_gans.kinds import Labels, Latents, Pictures
from keras_gans.ports import main_port, makes_from_latents

ROOT = Path(keras_gans.__file__).parent
FAMILIES = {"translation.py", "growing.py", "variational.py"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_port_makes_what_it_says(case):
    """Its network takes valid values of its inputs' kinds, and makes some of its output's kind."""
    for port in case.build(ema_decay=0.9).ports().values():
        inputs = [kind.from_border(kind.examples(3)) for kind in port.inputs]
        assert len(inputs) == len(port.network.inputs)
        made = port.network(inputs if len(inputs) > 1 else inputs[0], training=False)
        port.output.check_shape(made)
        assert tf.as_dtype(made.dtype).name == port.output.dtype


def test_ports_of_models():
    latents, labels = Latents("latents", (6,), "normal"), Labels("labels", 3)
    cgan = BY_NAME["CGAN"].build()
    assert list(cgan.ports()) == ["generate"]
    assert cgan.ports()["generate"].inputs == (latents, labels)
    assert cgan.ports()["generate"].takes == "latents and labels"
    assert BY_NAME["DCGAN"].build().ports()["generate"].inputs[0].prior == "uniform"
    cyclegan = BY_NAME["CycleGAN"].build()
    assert list(cyclegan.ports()) == ["a_to_b", "b_to_a"]
    assert main_port(cyclegan).network is cyclegan.generator_a_to_b
    assert isinstance(main_port(cyclegan).inputs[0], Pictures)
    assert main_port(cyclegan).takes == "pictures"
    assert makes_from_latents(cgan) and not makes_from_latents(cyclegan)


def test_ports_have_the_averages():
    for name in ("DCGAN", "CycleGAN"):
        model = BY_NAME[name].build(ema_decay=0.9)
        averages = [getattr(model, f"ema_{network}") for network in model.averaged]
        assert [port.network for port in model.ports().values()] == averages


def test_a_translation_is_translate():
    model = BY_NAME["CycleGAN"].build()
    pictures = main_port(model).inputs[0].examples(2)
    for direction in model.ports():
        expected = model.translate(pictures, to=direction[-1])
        np.testing.assert_array_equal(model.translation(direction)(pictures), expected)


def test_nobody_asks_for_a_family():
    asking = re.compile(r"isinstance\([^)]*\b(Translator|TwoWayTranslator|GrowingModel)\b")
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.name not in FAMILIES and asking.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
