"""Steps of small gradients, as the papers' frameworks take them."""

import keras
import numpy as np
import pytest
from cases import CASES

from keras_gans import optimizers

# RMS of the gradients of WGAN's generator in its first steps, layer by layer, and smaller ones.
GRADIENTS = (1e-5, 4e-4, 1e-6)


def steps(optimizer, gradients):
    """Where a weight at 0 is after each of some steps."""
    weight = keras.Variable(np.zeros(1, "float32"))
    optimizer.build([weight])
    places = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor([gradient])], [weight])
        places.append(float(weight[0]))
    return places


def torch_rmsprop(rate, rho, gradients):
    mean_square, place, places = 0.0, 0.0, []
    for gradient in gradients:
        mean_square = rho * mean_square + (1 - rho) * gradient**2
        place -= rate * gradient / (np.sqrt(mean_square) + 1e-8)
        places.append(place)
    return places


def adagrad_of_2011(rate, gradients):
    sums = np.cumsum(np.square(gradients))
    return list(np.cumsum(-rate * np.array(gradients) / np.sqrt(sums)))


def tensorflow_adam(rate, beta_1, beta_2, gradients):
    m, v, place, places = 0.0, 0.0, 0.0, []
    for t, gradient in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        place -= rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + 1e-8)
        places.append(place)
    return places


def test_rmsprop():
    expected = torch_rmsprop(5e-5, 0.99, GRADIENTS)
    assert steps(optimizers.rmsprop(5e-5), GRADIENTS) == pytest.approx(expected, rel=0.02)
    theirs = steps(keras.optimizers.RMSprop(5e-5, rho=0.99), GRADIENTS)
    assert theirs[0] / expected[0] < 0.01  # what it is for
    assert steps(optimizers.rmsprop(0.1), [0.0]) == [0.0]


def test_adagrad():
    expected = adagrad_of_2011(0.01, GRADIENTS)
    assert steps(optimizers.adagrad(0.01), GRADIENTS) == pytest.approx(expected, rel=1e-3)
    assert steps(optimizers.adagrad(0.01), [0.0]) == [0.0]


def test_adam():
    expected = tensorflow_adam(1e-3, 0.5, 0.9, GRADIENTS)
    found = steps(optimizers.adam(1e-3, beta_1=0.5, beta_2=0.9), GRADIENTS)
    assert found == pytest.approx(expected, rel=1e-4)
    assert optimizers.adam(1e-3).beta_2 == 0.999


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_small_gradients_of_a_model_count(case):
    """The first step of an adaptive optimizer is its rate, be the gradient 1e-2 or 1e-5."""
    model = case.build()
    for player, optimizer in model.default_optimizers().items():
        if isinstance(optimizer, keras.optimizers.SGD):
            continue
        copies = [type(optimizer).from_config(optimizer.get_config()) for _ in range(2)]
        usual, small = (steps(copy, [g])[0] for copy, g in zip(copies, (1e-2, 1e-5), strict=True))
        assert 0.95 < small / usual <= 1.01, (player, usual, small)
