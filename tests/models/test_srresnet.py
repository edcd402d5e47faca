"""SRResNet: the paper's loss by hand, sizes, tiles, settings, what fits."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import SRResNet
from keras_gans.datasets import downscaled, enlarge_bicubic, load
from keras_gans.families.super_resolution import in_tiles, scale_of, spans
from keras_gans.networks import build_mlp_generator, build_srresnet_generator, build_unet_generator

HEIGHT, WIDTH, CHANNELS = harness.SHAPE
LOW = (HEIGHT // 2, WIDTH // 2, CHANNELS)


def low_pictures(model, num, seed):
    return np.random.default_rng(seed).uniform(-1, 1, (num, *LOW)).astype("float32")


def enlarged(model, num, seed):
    return model.translate(low_pictures(model, num, seed))


OF_ENLARGERS = {"sample": enlarged, "inputs": low_pictures, "shapes": (LOW, harness.SHAPE)}


def generator():
    return build_srresnet_generator(2, CHANNELS, width=3, num_blocks=1, seed=1)


CASES = [
    dataclasses.replace(harness.case(SRResNet, lambda: [generator()]), **OF_ENLARGERS),
]

ROLES = {"SRResNet": harness.Roles(judges=(), information=("psnr",))}


def repeated(scale, number, size=(None, None), channels=1):
    """A network that repeats pixels, times a number."""
    pictures = keras.Input((*size, channels))
    layer = keras.layers.Conv2D(channels, 1, use_bias=False)
    model = keras.Model(pictures, keras.layers.UpSampling2D(scale)(layer(pictures)))
    layer.set_weights([number * np.eye(channels, dtype="float32")[None, None]])
    return model


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def test_formula():
    """E[(g x - y)^2], of which the derivative is 2 E[(g x - y) x]; and its PSNR of each picture."""
    x, y = pictures(3, 4, 5, 1), pictures(3, 8, 10, 1, seed=1)
    model = harness.compile_sgd(SRResNet(repeated(2, 0.7), seed=0), rate=0.5)
    logs = model.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0, steps_per_epoch=1).history
    given = x.repeat(2, axis=1).repeat(2, axis=2)
    error = 0.7 * given - y
    np.testing.assert_allclose(logs["generator_loss"][0], np.mean(error**2), rtol=1e-5)
    after = 0.7 - 0.5 * 2 * np.mean(error * given)
    np.testing.assert_allclose(np.ravel(model.generator.get_weights()), after, rtol=1e-5)
    of_each = np.mean(error**2, axis=(1, 2, 3))
    np.testing.assert_allclose(logs["psnr"][0], np.mean(10 * np.log10(4 / of_each)), rtol=1e-5)


def test_paper_defaults():
    model = SRResNet.from_paper((96, 96, 3), width=4, num_blocks=1)
    assert model.scale == 4 and model.generator.output_shape == (None, None, None, 3)
    model.compile()
    optimizer = model.optimizer_of("generator")
    assert type(optimizer) is keras.optimizers.Adam
    assert float(optimizer.learning_rate) == pytest.approx(1e-4)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)
    blocks = [len(each.layers) for each in SRResNet.default_networks((96, 96, 3)).values()]
    assert blocks == [len(build_srresnet_generator(4).layers)]


def test_learns():
    """A few steps of few weights, from the bicubic enlargement on, get beyond it."""
    dataset = downscaled(load("noto_emoji", batch_size=16, crop=32), 2)
    model = SRResNet.from_paper((32, 32, 3), scale=2, width=8, num_blocks=1, bicubic=True, seed=0)
    model.compile(generator_optimizer=keras.optimizers.Adam(1e-3))
    psnr = model.fit(dataset, epochs=2, steps_per_epoch=30, verbose=0).history["psnr"]
    first = SRResNet.from_paper((32, 32, 3), scale=2, width=8, num_blocks=1, bicubic=True, seed=0)
    low, high = next(iter(dataset))
    bicubic = enlarge_bicubic(np.uint8(np.rint((low.numpy() + 1) * 127.5)), 2)
    assert np.abs(first.translate(low.numpy()).astype(int) - bicubic).max() <= 1
    assert psnr[1] > psnr[0] + 0.2
    wanted = np.rint((high.numpy() + 1) * 127.5)
    errors = [
        np.mean((made.astype(float) - wanted) ** 2)
        for made in (model.translate(low.numpy()), bicubic)
    ]
    assert errors[0] < 0.9 * errors[1]


def test_pictures_of_any_size():
    model = SRResNet(repeated(3, 1.0), seed=0)
    several = [pictures(4, 5, 1), pictures(7, 3, 1)]
    made = model.translate(several)
    for given, large in zip(several, made, strict=True):
        wanted = np.rint((given + 1) * 127.5).repeat(3, axis=0).repeat(3, axis=1)
        np.testing.assert_array_equal(large, wanted)
    (port,) = model.ports().values()
    assert port.inputs[0].shape == (None, None, 1) and port.translates
    assert len(model._graphs) == 1  # one for all sizes


def test_grids():
    """Bicubic, made, and what was, in rows."""
    model = SRResNet(repeated(2, 1.0, channels=3), seed=0)
    low, high = pictures(2, 4, 4, 3), pictures(2, 8, 8, 3, seed=1)
    grid = model.translation_grid(low, high)
    assert grid.shape == (6, 8, 8, 3)
    levels = np.uint8(np.rint((low + 1) * 127.5))
    np.testing.assert_array_equal(grid[:2], enlarge_bicubic(levels, 2))
    np.testing.assert_array_equal(grid[2:4], model.translate(low))
    assert np.abs(grid[4:] - (high + 1) * 127.5).max() <= 0.51
    with pytest.raises(ValueError, match="`high` must be as many as `low`, 2"):
        model.translation_grid(low, high[:1])


# Tiles


@pytest.mark.parametrize("side, tile, overlap", [(5, 8, 2), (8, 8, 2), (9, 8, 2), (50, 8, 3)])
def test_tiles_cover_a_side_once(side, tile, overlap):
    found = spans(side, tile, overlap)
    kept = [place for span in found for place in range(*span.kept)]
    assert kept == list(range(side))
    for span in found:
        first, end = span.part
        assert first >= 0 and end <= side and end - first == min(side, tile)
        assert first in (0, *range(span.kept[0] - overlap + 1))
        assert end == side or end >= span.kept[1] + overlap


def test_tiles_see_what_a_pixel_depends_on():
    """With an overlap of the reach of a convolution there is no seam, with less there is one."""
    layer = keras.layers.Conv2D(1, 5, padding="same", use_bias=False)
    network = keras.Sequential([keras.Input((None, None, 1)), layer, keras.layers.UpSampling2D(2)])
    whole = pictures(2, 21, 34, 1)

    def enlarge(part):
        return np.array(network(part))

    np.testing.assert_allclose(in_tiles(enlarge, whole, 9, 2), enlarge(whole), atol=1e-5)
    assert np.abs(in_tiles(enlarge, whole, 9, 1) - enlarge(whole)).max() > 0.01
    model = SRResNet(network, seed=0)
    np.testing.assert_array_equal(model.translate(whole, tile=9, overlap=2), model.translate(whole))


def test_tiles_that_do_not_fit():
    fixed = SRResNet(repeated(2, 1.0, size=(8, 8)), seed=0)
    with pytest.raises(ValueError, match="`tile` must be None for a generator of one size"):
        fixed.translate(pictures(1, 8, 8, 1), tile=5, overlap=1)
    model = SRResNet(repeated(2, 1.0), seed=0)
    for tile, overlap, word in ((8, 4, "tile"), (8, -1, "overlap"), (2.5, 1, "tile")):
        with pytest.raises(ValueError, match=f"`{word}`"):
            model.translate(pictures(1, 20, 20, 1), tile=tile, overlap=overlap)


# What does not fit


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="`generator` must make pictures out of pictures"):
        SRResNet(build_mlp_generator((16, 16, 1), 4, (8,)))
    with pytest.raises(ValueError, match="by one whole number of at least 2"):
        SRResNet(build_unet_generator((16, 16, 1), width=2))
    uneven = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.UpSampling2D((2, 4))])
    with pytest.raises(ValueError, match=r"one that makes \(16, 32\) of \(8, 8\)"):
        SRResNet(uneven)
    assert scale_of(repeated(5, 1.0)) == 5
    with pytest.raises(ValueError, match=r"`scale` must divide .*Received: 4, .*\(30, 32\)"):
        SRResNet.from_paper((30, 32, 3))


def test_pairs_of_another_scale():
    model = harness.compile_sgd(SRResNet(repeated(2, 0.7), seed=0))
    data = tf.data.Dataset.from_tensors((pictures(2, 4, 4, 1), pictures(2, 16, 16, 1)))
    with pytest.raises(ValueError, match=r"`high` must have 2 times .*\(16, 16\) beside \(4, 4\)"):
        model.fit(data, steps_per_epoch=1, verbose=0)
    assert int(model.optimizer_of("generator").iterations) == 0
