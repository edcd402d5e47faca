"""`Features`: what a network is given and what it sees, how it is saved, what does not fit."""

import keras
import numpy as np
import pytest

from keras_gans.networks import Features
from keras_gans.networks.features import sha256_of


def network(channels=3, size=None, seed=0):
    """Two layers of one filter each, whose numbers are read off below."""
    keras.utils.set_random_seed(seed)
    pictures = keras.Input((size, size, channels))
    x = keras.layers.Conv2D(2, 1, use_bias=False, name="first")(pictures)
    x = keras.layers.BatchNormalization(name="normalized")(x)
    return keras.Model(pictures, keras.layers.Conv2D(1, 3, name="second")(x))


def pictures(channels=3, num=2, size=6):
    return np.random.default_rng(0).uniform(-1, 1, (num, size, size, channels)).astype("float32")


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocessing_is_that_of_keras_applications(mode):
    inner, x = network(), pictures()
    wanted = keras.applications.imagenet_utils.preprocess_input((x + 1) * 127.5, mode=mode)
    found = Features(inner, "first", mode)(x)
    np.testing.assert_allclose(found, inner.get_layer("first")(wanted), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode, scale, offset", [("0 to 1", 0.5, 0.5), ("0 to 255", 127.5, 127.5)])
def test_other_ranges(mode, scale, offset):
    inner, x = network(), pictures()
    found = Features(inner, "first", mode)(x)
    np.testing.assert_allclose(
        found, inner.get_layer("first")(scale * x + offset), rtol=1e-4, atol=1e-4
    )


def test_layers():
    """One, several, or what the network makes."""
    inner, x = network(), pictures()
    assert Features(inner)(x).shape == (2, 4, 4, 1)
    assert Features(inner, "first")(x).shape == (2, 6, 6, 2)
    assert [part.shape[-1] for part in Features(inner, ["first", "second"])(x)] == [2, 1]


def test_grey_pictures():
    inner, x = network(), pictures(1)
    found = Features(inner, "first")(x)
    np.testing.assert_allclose(found, inner.get_layer("first")(np.repeat(x, 3, -1)), rtol=1e-5)


def test_is_never_trained():
    """No weight to train, and moments that stay, whatever it is called with; a user's network is
    left as it is."""
    inner = network()
    features = Features(inner)
    before = [np.array(weight) for weight in features.weights]
    features(pictures() * 5, training=True)
    assert not features.trainable_weights and len(before) > 2 and inner.trainable
    for old, new in zip(before, inner.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_of_a_file_is_saved_by_reference(tmp_path):
    network().save(tmp_path / "net.keras")
    features = Features(tmp_path / "net.keras", ["first", "second"], "torch")
    assert not features.weights and features.available()
    config = features.get_config()
    assert config["sha256"] == sha256_of(tmp_path / "net.keras")
    assert config["network"] == str(tmp_path / "net.keras")
    again = Features.from_config(config)
    for one, other in zip(features(pictures()), again(pictures()), strict=True):
        np.testing.assert_array_equal(one, other)

    (tmp_path / "net.keras").rename(tmp_path / "elsewhere.keras")
    with pytest.warns(UserWarning, match="is not there. Until then nothing trains"):
        gone = Features.from_config(config)
    assert not gone.available()
    with pytest.raises(FileNotFoundError, match=r"net.keras' with the SHA-256 [0-9a-f]{64}"):
        gone(pictures())

    network(seed=1).save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match=f"the file with the SHA-256 {config['sha256']}"):
        Features.from_config(config)


def test_of_a_network_is_saved_with_it(tmp_path):
    features = Features(network(), "first", "torch")
    x = keras.Input((6, 6, 3))
    keras.Model(x, features(x)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(pictures()), features(pictures()))


def test_weights_of_keras_applications(tmp_path):
    path = tmp_path / "mobilenet.weights.h5"
    trained = keras.applications.MobileNet(weights=None, include_top=False)
    trained.save_weights(path)
    features = Features(path, "conv1", application="MobileNet")
    np.testing.assert_allclose(
        features(pictures(size=32)), trained.get_layer("conv1")(pictures(size=32)), atol=1e-6
    )
    assert not features.weights
    with pytest.raises(ValueError, match=r"an .h5 file with the weights of MobileNetV2"):
        Features(path, "conv1", application="MobileNetV2")
    with pytest.raises(ValueError, match="`application` takes the names"):
        Features(path, "block1_conv1", "caffe", application="VGG20")
    with pytest.raises(ValueError, match="`application` must be None where"):
        Features(network(), application="VGG19")


def test_what_does_not_fit(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.keras', which is not there"):
        Features(tmp_path / "nowhere.keras")
    (tmp_path / "text.keras").write_text("no network")
    with pytest.raises(ValueError, match=r"a file that `keras.Model.save` wrote.*text.keras"):
        Features(tmp_path / "text.keras")
    with pytest.raises(ValueError, match=r"`layers` must be names .* first, normalized, second"):
        Features(network(), "third")
    with pytest.raises(ValueError, match="`preprocessing` takes the names"):
        Features(network(), "first", "vgg")
    with pytest.raises(ValueError, match="for networks of three colours"):
        Features(network(1), "first", "caffe")
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for wrong in (dense, keras.layers.Dense(3), keras.Sequential([keras.layers.Dense(3)])):
        with pytest.raises(ValueError, match=r"must be a functional `keras.Model` of pictures"):
            Features(wrong)
    Features(network(size=6)).check_takes((6, 6, 1))
    for shape in ((8, 6, 3), (6, 6, 4)):
        with pytest.raises(ValueError, match="`features` must take pictures"):
            Features(network(size=6)).check_takes(shape)
