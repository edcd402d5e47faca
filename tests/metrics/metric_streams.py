"""How the tests feed metrics: in batches, and on two replicas."""

import numpy as np
import tensorflow as tf


def features(num, size=8, seed=0, shift=0.0):
    """Float32 features, correlated and with means that are not 0."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(size, size))
    return (rng.normal(size=(num, size)) @ mixing + 1 + shift).astype("float32")


def pictures(num, height=16, width=24, channels=3, seed=0, noise=60.0):
    """Uint8 pictures: a gradient of random slope under noise."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(scale=60, size=(num, 1, 1, channels))
    smooth = 128 + slopes * np.linspace(-1, 1, width)[:, None]
    rows = smooth + rng.normal(scale=noise, size=(num, height, width, channels))
    return np.clip(np.rint(rows), 0, 255).astype("uint8")


def fed(metric, *sides, batch=32):
    """The metric, given its sides in batches; the last one is not full."""
    for start in range(0, max(len(side) for side in sides), batch):
        parts = [side[start : start + batch] for side in sides]
        metric.update_state(*(part if len(part) else None for part in parts))
    return metric


def fed_on_replicas(strategy, build, *sides, batch=32):
    """`build()` within the strategy's scope, given its sides in global batches."""
    with strategy.scope():
        metric = build()

    @tf.function
    def step(*parts):
        strategy.run(metric.update_state, args=parts)

    dataset = tf.data.Dataset.from_tensor_slices(sides).batch(batch)
    for parts in strategy.experimental_distribute_dataset(dataset):
        step(*parts)
    return metric


def check_streams(build, reals, fakes, strategy, tolerance=1e-9):
    """One batch, several, a graph and two replicas give one result and one protocol."""
    expected = fed(build(), reals, fakes, batch=10_000)
    graph = build()
    graph.update_state = tf.function(graph.update_state, reduce_retracing=True)
    for metric in (
        fed(build(), reals, fakes),
        fed(graph, reals, fakes, batch=50),
        fed_on_replicas(strategy, build, reals, fakes),
    ):
        result = metric.values()
        assert result.keys() == expected.values().keys()
        for name, value in expected.values().items():
            np.testing.assert_allclose(result[name], value, rtol=tolerance, atol=tolerance)
        assert metric.protocol() == expected.protocol()
    return expected
