"""Steps of small gradients, as the papers' frameworks take them."""

import json

import keras
import numpy as np
import pytest
from cases import CASES

from keras_gans import optimizers
from keras_gans.schedules import Linear

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


RISING = Linear(0.5, 0.7, total_steps=4)  # 0.5, 0.55, 0.6, 0.65, 0.7


def momentum_by_hand(rate, momenta, gradients, dampened):
    velocity, place, places = 0.0, 0.0, []
    for momentum, gradient in zip(momenta, gradients, strict=True):
        velocity = momentum * velocity - rate * gradient * (1 - momentum if dampened else 1)
        place += velocity
        places.append(place)
    return places


@pytest.mark.parametrize("dampened", [False, True])
def test_momentum_that_rises(dampened):
    gradients = (1.0, -2.0, 3.0, 0.5, 0.0, 1.0)
    expected = momentum_by_hand(0.1, (0.5, 0.55, 0.6, 0.65, 0.7, 0.7), gradients, dampened)
    found = steps(optimizers.MomentumSGD(0.1, RISING, dampened=dampened), gradients)
    assert found == pytest.approx(expected, rel=1e-5)


def test_momentum_as_keras_has_it():
    gradients = (1.0, -2.0, 3.0, 0.5)
    expected = steps(keras.optimizers.SGD(0.1, momentum=0.6), gradients)
    assert steps(optimizers.MomentumSGD(0.1, 0.6), gradients) == pytest.approx(expected)


def test_dampened_steps_are_as_large_at_any_momentum():
    """Of a constant gradient: the rate times it, where others take 1 / (1 - momentum) of that."""
    for momentum in (0.5, 0.9):
        places = steps(optimizers.MomentumSGD(0.1, momentum, dampened=True), [1.0] * 200)
        assert places[-1] - places[-2] == pytest.approx(-0.1, rel=1e-3)


@pytest.mark.parametrize("momentum", [RISING, 0.6])
def test_a_saved_momentum_goes_on(momentum):
    """Of six updates three before saving; the copy has velocities and the count of the first."""
    gradients = (1.0, -2.0, 3.0, 0.5, 0.0, 1.0)
    whole = steps(optimizers.MomentumSGD(0.1, momentum, dampened=True), gradients)
    first = optimizers.MomentumSGD(0.1, momentum, dampened=True)
    weight = keras.Variable(np.zeros(1, "float32"))
    first.build([weight])
    for gradient in gradients[:3]:
        first.apply([keras.ops.convert_to_tensor([gradient])], [weight])
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(first)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is optimizers.MomentumSGD and copy.get_config() == first.get_config()
    copy.build([weight])
    for mine, theirs in zip(copy.variables, first.variables, strict=True):
        mine.assign(theirs)
    places = []
    for gradient in gradients[3:]:
        copy.apply([keras.ops.convert_to_tensor([gradient])], [weight])
        places.append(float(weight[0]))
    assert places == pytest.approx(whole[3:], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"momentum": 0.0}, r"`momentum` must be in \(0, 1\]. Received: 0.0"),
        ({"momentum": 1.5}, r"`momentum` must be in \(0, 1\]. Received: 1.5"),
        ({"momentum": Linear(2.0, 0.7, 4)}, "`momentum`.*Received"),
        ({"momentum": "high"}, "`momentum` must be a number. Received: 'high'"),
        ({"momentum": 0.5, "dampened": 1}, "`dampened` must be True or False. Received: 1"),
        ({"momentum": 0.5, "nesterov": True}, "`nesterov` must be False. Received: True"),
    ],
)
def test_wrong_momenta(arguments, match):
    with pytest.raises(ValueError, match=match):
        optimizers.MomentumSGD(0.1, **arguments)


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
