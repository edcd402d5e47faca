"""HistoricalAverage against numbers by hand (Salimans et al., 2016, section 3.3)."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import mlp_pair

from keras_gans import GAN
from keras_gans.layers import HistoricalAverage
from keras_gans.losses import non_saturating_generator_loss


def test_by_hand():
    """theta of 2 and 1 numbers: after (1, 0), 4 and (3, 2), 0 the means are (2, 1), 2."""
    theta = [keras.Variable([1.0, 0.0]), keras.Variable([[4.0]])]
    history = HistoricalAverage(theta)
    assert float(history.penalty(theta)) == 0  # there is no past
    history.update(theta)
    assert float(history.penalty(theta)) == 0
    theta[0].assign([3.0, 2.0])
    theta[1].assign([[0.0]])
    assert float(history.penalty(theta)) == 4 + 4 + 16
    history.update(theta)
    assert float(history.penalty(theta)) == 1 + 1 + 4
    with tf.GradientTape() as tape:
        penalty = history.penalty(theta)
    of_first, of_second = tape.gradient(penalty, [v.value for v in theta])
    np.testing.assert_array_equal(of_first, [2.0, 2.0])  # 2 (theta - mean)
    np.testing.assert_array_equal(of_second, [[-4.0]])
    history.update(theta)  # (1 + 3 + 3) / 3, and so on
    np.testing.assert_allclose(history.means[0], [7 / 3, 4 / 3], rtol=1e-6)
    assert not history.trainable_variables


@keras.saving.register_keras_serializable("keras_gans_tests")
class CalmGAN(GAN):
    """A generator that pays for the distance from its past."""

    def __init__(self, *networks, **settings):
        super().__init__(*networks, **settings)
        self.past = HistoricalAverage(self.player_variables("generator"))

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        variables = self.player_variables("generator")
        with self.update("discriminator") as losses:
            losses["discriminator"] = tf.reduce_mean(self.discriminator(reals, training=True) ** 2)
        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = non_saturating_generator_loss(
                self.discriminator(fakes, training=True)
            ) + 0.1 * self.past.penalty(variables)
        self.past.update(variables)
        return self.logs()


CASE = harness.case(CalmGAN, mlp_pair)


def test_means_of_a_training():
    """The mean of the weights behind each of three steps."""
    model = harness.compile_sgd(CASE.build())
    data, past = CASE.dataset(model, 3), []

    def remember(batch, logs):
        past.append([np.array(v) for v in model.generator.weights])

    remember = keras.callbacks.LambdaCallback(on_train_batch_end=remember)
    model.fit(data, verbose=0, callbacks=[remember])
    means = [np.mean(values, axis=0) for values in zip(*past, strict=True)]
    harness.assert_close(model.past.means, means, 1e-6)
    assert int(model.past.count) == 3 and np.abs(past[2][0] - past[0][0]).max() > 1e-5


def test_saved_with_a_model(tmp_path):
    harness.check_round_trip(CASE, tmp_path / "model.keras")


@pytest.mark.slow
def test_two_replicas_are_one_device(two_replicas):
    harness.check_graph_is_eager(CASE)
    harness.check_replicas_are_one_device(CASE, two_replicas)


def test_bad_variables():
    theta = [keras.Variable([1.0, 0.0])]
    for bad in ([], [keras.Variable(1, dtype="int32")]):
        with pytest.raises(ValueError, match="`variables` must be Keras variables of float type"):
            HistoricalAverage(bad)
    history = HistoricalAverage(theta)
    for method in (history.penalty, history.update):
        with pytest.raises(ValueError, match=r"of shapes \[\(2,\)\]. Received: \[\(3,\)\]"):
            method([keras.Variable([1.0, 0.0, 0.0])])
