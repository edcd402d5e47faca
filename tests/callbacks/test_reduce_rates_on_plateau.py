import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import WGAN
from keras_gans.callbacks import ReduceRatesOnPlateau
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator


class Players:
    """As much of a model as the callback asks for."""

    def __init__(self, **rates):
        self.players = dict.fromkeys(rates)
        self.optimizers = {p: keras.optimizers.Adam(rate) for p, rate in rates.items()}
        self.metrics = [keras.metrics.Mean(name="convergence")]

    def optimizer_of(self, player):
        return self.optimizers[player]


def rates(values, model=None, **arguments):
    """The logs' rates of `critic` after epochs with these values, in units of the first rate."""
    model = model or Players(critic=1e-3, generator=4e-3)
    callback = ReduceRatesOnPlateau("convergence", **arguments)
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        logs = {"convergence": value}
        callback.on_epoch_end(epoch, logs)
        assert logs["generator_rate"] == pytest.approx(4 * logs["critic_rate"])
        assert logs["critic_rate"] == pytest.approx(float(model.optimizers["critic"].learning_rate))
        seen.append(logs["critic_rate"] / 1e-3)
    return pytest.approx(seen)


def test_halves_all_rates_where_the_value_stalls():
    #        first, progress, 1, 2 stalled; 1, progress, 1, 2
    values = [1.0, 0.9, 0.9, 0.95, 0.9, 0.8, 0.85, 0.8]
    assert rates(values, patience=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_factor():
    assert rates([1, 1, 1], patience=1, factor=0.1) == [1, 0.1, 0.01]


def test_progress_must_exceed_min_delta():
    """It counts from the least value so far, not from the one before."""
    values = [1.0, 0.95, 0.91, 0.85, 0.8]
    assert rates(values, patience=2, min_delta=0.1) == [1, 1, 0.5, 0.5, 0.5]


def test_nan_is_no_progress():
    assert rates([1.0, np.nan, np.nan], patience=2) == [1, 1, 0.5]


def test_logs_of_several_workers():
    assert rates([np.array([1.0]), np.array([2.0])], patience=1) == [1, 0.5]


def test_min_rate():
    """A rate goes no further down, and one below it is not raised."""
    model = Players(critic=4e-6, generator=1e-3, encoder=1e-7)
    callback = ReduceRatesOnPlateau("convergence", patience=1, min_rate=3e-6)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(4):
        callback.on_epoch_end(epoch, logs := {"convergence": 1.0})
    found = {name: value for name, value in logs.items() if name.endswith("_rate")}
    expected = {"critic_rate": 3e-6, "generator_rate": 1.25e-4, "encoder_rate": 1e-7}
    assert found == pytest.approx(expected)


def test_second_fit_counts_from_0():
    callback = ReduceRatesOnPlateau("convergence", patience=2)
    callback.set_model(model := Players(critic=1e-3))
    for _ in range(2):
        callback.on_train_begin()
        for epoch in range(2):
            callback.on_epoch_end(epoch, {"convergence": 1.0})
    assert float(model.optimizers["critic"].learning_rate) == pytest.approx(1e-3)


def test_fit_on_replicas(two_replicas, tmp_path):
    """The rates that weights move by are the ones that fall, and they are saved."""
    with two_replicas.scope():
        networks = build_mlp_generator((2,), 3, (4,)), build_mlp_discriminator((2,), (4,))
        model = WGAN(*networks, n_critic=1, seed=0)
        model.compile(
            critic_optimizer=keras.optimizers.SGD(0.4),
            generator_optimizer=keras.optimizers.SGD(0.2),
        )
    data = tf.data.Dataset.from_tensors(tf.zeros((8, 2)))
    callback = ReduceRatesOnPlateau("critic_loss", patience=1, min_delta=1e9)
    history = model.fit(data, epochs=3, steps_per_epoch=1, callbacks=[callback], verbose=0).history
    assert history["critic_rate"] == pytest.approx([0.4, 0.2, 0.1])
    assert history["generator_rate"] == pytest.approx([0.2, 0.1, 0.05])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.generator_optimizer.learning_rate) == pytest.approx(0.05)


def test_a_rate_with_a_schedule_is_refused():
    model = Players(critic=keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9))
    with pytest.raises(ValueError, match=r"`critic_optimizer` must be a number.*Received"):
        rates([], model=model)


def test_an_unknown_monitor_is_refused():
    callback = ReduceRatesOnPlateau("loss")
    callback.set_model(Players(critic=1e-3))
    with pytest.raises(ValueError, match=r"`monitor`.*\['convergence'\].*Received: 'loss'"):
        callback.on_train_begin()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("monitor", ["", None, 3]),
        ("factor", [0, 1, -0.5, "0.5", None, True, float("nan")]),
        ("patience", [0, 1.5, None, True]),
        ("min_delta", [-1e-3, None, "0", float("nan")]),
        ("min_rate", [-1e-3, None, "0", float("nan")]),
    ],
)
def test_bad_arguments(name, values):
    for value in values:
        with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
            ReduceRatesOnPlateau(**{"monitor": "convergence", name: value})
