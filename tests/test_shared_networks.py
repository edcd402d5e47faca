"""Players that train one network: each with a loss and an optimizer of its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from keras_gans import AdversarialModel


class Shared(AdversarialModel):
    """`both` trains generator and head, `head` one output of the head alone, by w <- w - rate w."""

    players = {"both": ("generator", "head"), "alone": ("head",)}
    averaged = ("generator", "head")

    def default_optimizers(self):
        return {"both": keras.optimizers.SGD(0.5), "alone": keras.optimizers.SGD(0.1, momentum=0.5)}

    def train_step(self, data):
        (samples,) = self.minibatches(data, 1)
        with self.update("both") as losses:
            first, second = self.head(self.generator(samples), training=True)
            losses["both"] = ops.mean(first) + ops.mean(second)
        with self.update("alone") as losses:
            losses["alone"] = ops.mean(self.head(ops.stop_gradient(self.generator(samples)))[0])
        return self.logs()


def build(**kwargs):
    inputs = keras.Input((1,))
    generator = keras.Model(inputs, layers.Dense(1, use_bias=False, name="g")(inputs))
    inputs = keras.Input((1,))
    heads = [layers.Dense(1, use_bias=False, name=name)(inputs) for name in ("first", "second")]
    head = keras.Model(inputs, heads)
    model = Shared(generator=generator, head=head, seed=0, **kwargs)
    for network in (generator, head):
        network.set_weights([np.ones((1, 1)) for _ in network.weights])
    for name in model.averaged if kwargs else ():
        average = getattr(model, f"ema_{name}")
        average.set_weights(getattr(model, name).get_weights())
    return model


def weights(*networks):
    return [float(w[0, 0]) for network in networks for w in network.get_weights()]


def train(model, steps):
    data = tf.data.Dataset.from_tensors(np.ones((2, 1), "float32")).repeat()
    model.fit(data, steps_per_epoch=steps, verbose=0)


def test_steps_by_hand(recwarn):
    """y = x g, outputs y a and y b; x = 1. What `alone` leaves to `both` has no gradient there.

    both: g -= 0.5 (a + b), a -= 0.5 g, b -= 0.5 g;  alone: a moves by v <- 0.5 v - 0.1 g.
    """
    model = build()
    train(model, 2)
    assert not [w for w in recwarn if "Gradients do not exist" in str(w.message)]
    g = a = b = 1.0
    v = 0.0
    for _ in range(2):
        g, a, b = g - 0.5 * (a + b), a - 0.5 * g, b - 0.5 * g
        v = 0.5 * v - 0.1 * g
        a += v
    assert weights(model.generator, model.head) == pytest.approx([g, a, b], abs=1e-6)


def test_an_average_follows_the_last_of_its_players():
    """Once in a step, after both: decay 1/10 in the first step, 2/11 in the second."""
    model, seen = build(ema_decay=0.9), []
    for _ in range(2):
        train(model, 1)
        seen.append(weights(model.generator, model.head))
    averages = [1.0, 1.0, 1.0]
    for decay, values in zip((1 / 10, 2 / 11), seen, strict=True):
        averages = [decay * m + (1 - decay) * w for m, w in zip(averages, values, strict=True)]
    made = weights(model.ema_generator, model.ema_head)
    assert made == pytest.approx(averages, abs=1e-6)


def test_a_network_of_one_player_without_a_gradient_is_told(recwarn):
    class Lost(Shared):
        players = {"both": ("generator", "head")}

        def train_step(self, data):
            (samples,) = self.minibatches(data, 1)
            with self.update("both") as losses:
                losses["both"] = ops.mean(self.head(self.generator(samples))[0])
            return self.logs()

        def default_optimizers(self):
            return {"both": keras.optimizers.SGD(0.5)}

    shared = build()
    train(Lost(generator=shared.generator, head=shared.head, seed=0), 1)
    assert any("Gradients do not exist" in str(w.message) for w in recwarn)
