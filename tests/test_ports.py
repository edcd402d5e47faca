"""Ports: what each model can be asked for, and that nothing outside asks for its family."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import BY_NAME, CASES

import keras_gans
from keras_gans.training.kinds import Labels, Latents, Pictures
from keras_gans.training.ports import (
    asked_together,
    described,
    main_port,
    makes_from_latents,
)

ROOT = Path(keras_gans.__file__).parent
FAMILIES = ROOT / "families"


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


def test_ports_of_encoders():
    vae, infogan = BY_NAME["VAE"].build(ema_decay=0.9), BY_NAME["InfoGAN"].build()
    assert list(vae.ports()) == ["generate", "decode", "encode"]
    assert vae.ports()["encode"].takes == "pictures"
    assert vae.ports()["encode"].output == vae.ports()["decode"].inputs[0]
    assert vae.ports()["encode"].network is vae.ports()["encode"].network  # one graph for all calls
    assert list(infogan.ports()) == ["generate", "classify"]
    assert infogan.ports()["classify"].output == Labels("labels", infogan.num_classes)
    for model in (vae, infogan):
        assert list(model.exported_networks()) == [""]  # what makes samples
    encoder, before = vae.ema_encoder, vae.ports()["encode"].network
    held = {id(w) for w in before.weights}
    assert held < {id(w) for w in encoder.weights}  # all but the log-variances'
    vae.ema_encoder = BY_NAME["VAE"].build(ema_decay=0.9).ema_encoder
    assert held.isdisjoint(id(w) for w in vae.ports()["encode"].network.weights)


def test_a_port_in_json():
    """What comes back has no network; the kinds are equal."""
    for port in BY_NAME["CGAN"].build().ports().values():
        again = described(json.loads(json.dumps(port.describe())))
        assert again == dataclasses.replace(port, network=None) and again.from_latents


def test_ports_that_are_asked_together():
    """CoGAN's, of the same latents; a card says so too."""
    model = BY_NAME["CoGAN"].build(ema_decay=0.9)
    ports = model.ports()
    assert list(ports) == list(asked_together(ports)) == ["a", "b"]
    assert [port.beside for port in ports.values()] == [False, True]
    assert list(asked_together(ports, "b")) == ["b"] and ports["a"].inputs == ports["b"].inputs
    assert list(model.exported_networks()) == ["", "b"]
    again = described(json.loads(json.dumps(ports["b"].describe())))
    assert again.beside and "beside" not in ports["a"].describe()
    vae = BY_NAME["VAE"].build().ports()  # decoding is another thing than generating
    assert list(asked_together(vae)) == ["generate"]
    with pytest.raises(ValueError, match=r"`port` takes the names \['generate'\]"):
        asked_together(vae, "decode")


def test_asking():
    vae, cgan = BY_NAME["VAE"].build(), BY_NAME["CGAN"].build()
    pictures = vae.ports()["encode"].inputs[0].examples(70)
    latents = vae.ask("encode", pictures)
    np.testing.assert_array_equal(latents, vae.encode(pictures))
    np.testing.assert_array_equal(vae.ask("decode", latents), vae.reconstruct(pictures))
    made = cgan.ask("generate", *map(np.asarray, cgan.generator_inputs(3, seed=1)))
    np.testing.assert_array_equal(made, cgan.generate(3, seed=1))
    for given, match in (
        (("translate", pictures), r"`name` takes the names.*decode.*encode.*generate.*'translate'"),
        (("encode",), r"`inputs` must be images for 'encode'\. Received: 0"),
        (("encode", pictures[:0]), "`images` must hold at least one"),
        (("encode", pictures / 255), r"`images` must be pictures in \[-1, 1\]"),
    ):
        with pytest.raises(ValueError, match=match):
            vae.ask(*given)
    with pytest.raises(ValueError, match="`labels` must have one for each of `latents`, 3"):
        cgan.ask("generate", np.zeros((3, 6)), [1, 2])


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
        np.testing.assert_array_equal(model.ask(direction, pictures), expected)
    assert all(port.translates for port in model.ports().values())
    others = (BY_NAME[name].build().ports() for name in ("CGAN", "VAE", "InfoGAN"))
    assert not any(port.translates for ports in others for port in ports.values())


def test_nobody_asks_for_a_family():
    asking = re.compile(r"isinstance\([^)]*\b(Translator|TwoWayTranslator|GrowingModel)\b")
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.parent != FAMILIES and asking.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_nobody_asks_for_a_rank():
    """The kinds do, and what is below them: arithmetic of arrays, and networks of one shape."""
    asking = re.compile(r"len\([\w.]*shape\)\s*(==|!=|<|>|in)\s*[1-9(]")
    known = {"kinds.py", "images.py", "papers.py"}  # the last one is read without TensorFlow
    known |= {"layers", "networks", "metrics"}
    files = [p for p in ROOT.rglob("*.py") if not known & {p.name, *p.relative_to(ROOT).parts}]
    found = [p.name for p in files if asking.search(p.read_text(encoding="utf-8"))]
    assert len(files) > 50 and found == []
    assert asking.search((ROOT / "networks" / "defaults.py").read_text(encoding="utf-8"))
