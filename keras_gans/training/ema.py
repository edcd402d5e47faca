"""The averaged generator: an exponential moving average of a network's weights.

Source: Karras et al., 2018 (arXiv:1710.10196), section 4; Yazıcı et al., 2019 (arXiv:1806.04498).
The warm-up is that of `tf.train.ExponentialMovingAverage(num_updates=)`.
"""

import keras
from keras import ops, tree


def averaged_copy(network, decay):
    """A copy of a network, or of each of a list, to hold the average of its weights.

    It is `None` where `decay` is `None`.
    """
    if decay is None:
        return None
    if isinstance(network, list | tuple):
        return [averaged_copy(each, decay) for each in network]
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def warmed_up(decay, updates):
    """The decay in use after some updates: min(decay, (1 + n) / (10 + n)), a float32 scalar.

    So an average does not hold the first weights, which are random, for longer than training takes
    to leave them: with 0.999 they are 78 % of it after 248 updates, and here less than 1e-12.

    Args:
        decay: number in (0, 1).
        updates: how many the average has had, an integer or a scalar tensor.

    Example:

    >>> [round(float(warmed_up(0.999, n)), 3) for n in (0, 8, 98, 20_000)]
    [0.1, 0.5, 0.917, 0.999]
    """
    n = ops.cast(updates, "float32")
    return ops.minimum(ops.cast(decay, "float32"), (1.0 + n) / (10.0 + n))


def update_average(average, network, decay):
    """Moves each weight of `average` towards `network`: a <- decay * a + (1 - decay) * w.

    Weights that are not trained (the moving statistics of a batch normalisation) are averaged in
    the same way; integer state is copied.

    Args:
        average: network (or list) from `averaged_copy`, or `None`, and then nothing is done.
        network: the network (or list) that is trained.
        decay: number in (0, 1), for instance 0.999, or a float32 scalar.
    """
    if average is None:
        return
    variables = (
        [v for each in tree.flatten(net) for v in each.variables] for net in (average, network)
    )
    for a, w in zip(*variables, strict=True):
        if keras.backend.is_float_dtype(w.dtype):
            a.assign_add(ops.cast(1.0 - decay, w.dtype) * (w - a))
        else:
            a.assign(w)
