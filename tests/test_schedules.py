"""Learning rates against the formula, point by point."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.schedules import ConstantThenLinear


@pytest.mark.parametrize(
    ("step", "share"),
    [(0, 1), (1, 1), (99, 1), (100, 1), (101, 0.99), (125, 0.75), (199, 0.01), (200, 0), (999, 0)],
)
def test_half_and_half(step, share):
    rate = ConstantThenLinear(2e-4, 200)
    assert float(rate(step)) == pytest.approx(2e-4 * share, rel=1e-5, abs=1e-12)


def test_other_fractions():
    """0.75 of 8 steps: steps 6, 7 and 8 have 1, 1/2 and 0 of the rate; 0: it falls at once."""
    late, at_once = ConstantThenLinear(3.0, 8, 0.75), ConstantThenLinear(3.0, 8, 0)
    assert [float(late(t)) for t in (0, 5, 6, 7, 8, 9)] == pytest.approx([3, 3, 3, 1.5, 0, 0])
    assert [float(at_once(t)) for t in (0, 2, 4, 8)] == pytest.approx([3, 2.25, 1.5, 0])


def test_in_an_optimizer_and_saved():
    """The optimizer's own steps are what counts; the schedule survives its config."""
    optimizer = keras.optimizers.SGD(ConstantThenLinear(1.0, 4, 0.5))
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    step = tf.function(lambda: optimizer.apply([tf.constant(-1.0)], [weight]))
    seen = []
    for _ in range(6):
        step()
        seen.append(float(weight))
    np.testing.assert_allclose(np.diff([0.0, *seen]), [1, 1, 1, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 10), "initial_rate"),
        ((-1.0, 10), "initial_rate"),
        ((1.0, 0), "total_steps"),
        ((1.0, 2.5), "total_steps"),
        ((1.0, 10, 1), r"constant_fraction.*\[0, 1\)"),
        ((1.0, 10, -0.1), "constant_fraction"),
        ((1.0, 10, None), "constant_fraction"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=rf"`{match}.*Received"):
        ConstantThenLinear(*arguments)
