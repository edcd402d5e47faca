"""`shifted`: where the pixels go, how far, what passes through, and that a run can go on."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import GAN, networks, optimizers
from keras_gans.datasets import load, semi_supervised, shifted, unpaired

FILL, SIDE = 0.25, 9


@pytest.fixture(scope="module")
def bright():
    """Where the one bright pixel of 4,000 pictures went, which were black with it in the middle."""
    black = np.full((4000, SIDE, SIDE, 1), -1, "float32")
    black[:, SIDE // 2, SIDE // 2] = 1
    dataset = tf.data.Dataset.from_tensor_slices(black).batch(1000)
    return np.concatenate(list(shifted(dataset, 2, fill=FILL).as_numpy_iterator()))


def test_each_distance_is_as_frequent(bright):
    """4,000 of 25 equally likely places: 160 each, with a standard deviation of 12.4."""
    places = np.argwhere(bright[..., 0] == 1)
    assert len(places) == 4000, "a picture has lost its pixel, or has two"
    counts = np.bincount(5 * (places[:, 1] - 2) + places[:, 2] - 2, minlength=25)
    assert counts.shape == (25,) and np.abs(counts - 160).max() < 5 * 12.4


def test_what_is_moved_away_leaves_the_fill(bright):
    """A picture that is moved by (a, b) leaves 81 - (9 - |a|)(9 - |b|) pixels."""
    for picture in bright[:50, ..., 0]:
        ((down, right),) = np.argwhere(picture == 1) - SIDE // 2
        left = SIDE**2 - (SIDE - abs(down)) * (SIDE - abs(right))
        assert np.sum(picture == FILL) == left
        assert np.sum(picture == -1) == SIDE**2 - left - 1
        if down > 0:
            assert np.all(picture[:down] == FILL)


def test_pictures_keep_their_pixels_and_labels_pass():
    """Each picture is the original, cut out of a larger one at one of 25 places."""
    original = load("mnist_5k", batch_size=8, seed=3, labels=True)
    dataset = shifted(original, 2, seed=1)
    moved = 0
    for (before, labels), (after, passed) in zip(original.take(3), dataset.take(3), strict=True):
        np.testing.assert_array_equal(labels, passed)
        padded = np.pad(before, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=-1)
        windows = np.stack(
            [padded[:, i : i + 28, j : j + 28] for i in range(5) for j in range(5)], axis=1
        )
        same = np.all(windows == after.numpy()[:, None], axis=(2, 3, 4))
        assert np.all(same.any(axis=1))
        moved += np.sum(~same[:, 12])  # the 13th place is the middle
    assert moved > 12
    assert len(dataset) == len(original) and dataset.element_spec == original.element_spec
    assert dataset.info == original.info


def test_parts_move_by_themselves_and_steps_differ():
    picture = np.full((SIDE, SIDE, 1), -1, "float32")
    picture[4, 4] = 1
    both = {"a": picture, "b": picture, "number": np.float32(3)}
    dataset = tf.data.Dataset.from_tensors(both).repeat(40).batch(1)
    found = list(shifted(dataset, 2).as_numpy_iterator())
    places = {key: [minibatch[key].argmax() for minibatch in found] for key in "ab"}
    assert places["a"] != places["b"] and len(set(places["a"])) > 10
    assert all(minibatch["number"] == 3 for minibatch in found)
    again, other = (
        [minibatch["a"].argmax() for minibatch in shifted(dataset, 2, seed).as_numpy_iterator()]
        for seed in (0, 1)
    )
    assert again == places["a"] and other != places["a"]


@pytest.mark.parametrize("form", ["load", "semi_supervised", "unpaired"])
def test_begins_at_any_step(form):
    def made(**settings):
        one = load("mnist_5k", batch_size=100, **settings)
        if form == "semi_supervised":
            one = semi_supervised(load("mnist_5k", batch_size=100, labels=True, **settings))
        elif form == "unpaired":
            one = unpaired(one, load("fashion_mnist_10k", batch_size=100, **settings))
        return shifted(one, seed=5)

    def flat(minibatches):
        return [part for minibatch in minibatches for part in tf.nest.flatten(minibatch)]

    wanted = flat(made().from_step(0).skip(57).take(2).as_numpy_iterator())
    later = made(start_step=57)
    assert later.start_step == 57
    for found in (made().from_step(57), later):
        for a, b in zip(wanted, flat(found.take(2).as_numpy_iterator()), strict=True):
            np.testing.assert_array_equal(a, b)
    if form == "semi_supervised":
        labelled = np.concatenate([pictures for pictures, _ in made().labelled])
        plain = semi_supervised(load("mnist_5k", batch_size=100, labels=True)).labelled
        np.testing.assert_array_equal(labelled, np.concatenate([pictures for pictures, _ in plain]))


def test_a_model_learns_from_it_and_goes_on():
    """Two steps at once are one step and one more: the second sees the second's distances."""

    def trained(*epochs):
        gan = GAN(
            networks.build_mlp_generator((28, 28, 1), 4, (8,), seed=1),
            networks.build_mlp_discriminator((28, 28, 1), (8,), seed=2),
            seed=0,
        )
        adams = {f"{player}_optimizer": optimizers.adam(1e-2) for player in gan.players}
        gan.compile(**adams)
        for first, last in epochs:
            dataset = shifted(load("mnist_5k", batch_size=10), 3)
            gan.fit(dataset, initial_epoch=first, epochs=last, steps_per_epoch=1, verbose=0)
        return np.concatenate([np.ravel(weight) for weight in gan.discriminator.get_weights()])

    np.testing.assert_allclose(trained((0, 2)), trained((0, 1), (1, 2)), rtol=0, atol=1e-6)


def test_zero_moves_nothing():
    original = load("mnist_5k", batch_size=8)
    for before, after in zip(original.take(2), shifted(original, 0).take(2), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"pixels": -1}, "`pixels`"),
        ({"pixels": 28}, "`pixels`"),
        ({"pixels": 1.5}, "`pixels`"),
        ({"seed": -1}, "`seed`"),
        ({"fill": 2}, r"`fill` must be a number in \[-1, 1\]. Received: 2"),
        ({"fill": "black"}, "`fill`"),
        ({"fill": float("nan")}, "`fill`"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        shifted(load("mnist_5k"), **settings)


def test_what_is_no_dataset_of_pictures():
    with pytest.raises(TypeError, match="`dataset` must be a tf"):
        shifted(np.zeros(3))
    with pytest.raises(ValueError, match="`dataset` must have pictures of a fixed size"):
        shifted(load("ring"))
