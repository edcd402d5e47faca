"""Mixed precision: the layers compute in half precision, and their weights stay float32.

bfloat16 has the range of float32, and is all that is asked of the networks. float16 holds nothing
below 6e-8, where many gradients are. So the loss is multiplied by a large number and the gradients
are divided by it; where one of them overflows, the step is left out and the number is halved
(Micikevicius et al., 2018, arXiv:1710.03740). Averaged networks count it as a step in which the
weights stood still.

Example:

>>> keras.config.set_dtype_policy("mixed_bfloat16")  # before the networks are built
>>> gan = DCGAN(build_dcgan_generator((64, 64, 3)), build_dcgan_discriminator((64, 64, 3)))
"""

import contextlib

import keras
from keras import ops, tree

from keras_gans.devices.replicas import mean_over_replicas

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def check_precision(name):
    """Raises ValueError unless this is one of the policies of `keras-gans train --precision`."""
    if name not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: {name!r}")


@contextlib.contextmanager
def dtype_policy(policy):
    """Networks that are built inside of it have this Keras dtype policy, or its name."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compute_dtypes(network):
    """The types of numbers that a network's layers compute in, such as `{"float32", "float16"}`."""
    return {layer.compute_dtype for layer in network._flatten_layers()}


def precision_of(model):
    """The one of `PRECISIONS` that a model's networks compute in, where any of them does.

    Args:
        model: `AdversarialModel`.
    """
    networks = tree.flatten([getattr(model, name) for name in model.network_names])
    used = {dtype for network in networks for dtype in compute_dtypes(network)}
    half = (name for name in PRECISIONS if name.removeprefix("mixed_") in used - {"float32"})
    return next(half, "float32")


def in_float32(network):
    """The network, or where it computes in half precision, a copy of it that does in float32.

    The copy has the present weights. It is for what half precision is not made for, such as the
    files that converters write.

    Args:
        network: functional `keras.Model`.
    """
    if not compute_dtypes(network) & {"float16", "bfloat16"}:
        return network

    def copy(layer):
        return type(layer).from_config(_with_float32(layer.get_config()))

    with dtype_policy("float32"):
        float32 = keras.models.clone_model(network, clone_function=copy, recursive=True)
    float32.set_weights(network.get_weights())
    return float32


def _with_float32(config):
    """A configuration with "float32" for all dtype policies in it, a wrapped layer's too."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float32"}}
        return {key: _with_float32(value) for key, value in config.items()}
    return [_with_float32(value) for value in config] if isinstance(config, list) else config


@keras.saving.register_keras_serializable("keras_gans")
class LossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """Keras's, with one answer for all replicas to whether a step is left out.

    Keras asks the first replica alone, though its gradients are not yet the sum over all of them:
    a NaN on another one goes into everybody's weights.

    Args:
        inner_optimizer: the Keras optimizer that is wrapped.
        initial_scale: what the first loss is multiplied by.
        dynamic_growth_steps: steps with finite gradients, after which the scale is doubled.
        name: as of any Keras optimizer.

    Example:

    >>> gan.compile(generator_optimizer=LossScaleOptimizer(keras.optimizers.Adam(2e-4)))
    """

    def check_finite(self, grads):
        overflow = ops.cast(ops.logical_not(super().check_finite(grads)), "float32")
        return ops.equal(mean_over_replicas(overflow), 0.0)


def with_loss_scaling(model, optimizers):
    """Every player's optimizer, wrapped where any network of the model computes in float16.

    A player whose own networks are float32 is no exception: its gradients come through the others.

    Args:
        model: `AdversarialModel`.
        optimizers: `{player: optimizer}`.
    """
    networks = tree.flatten([getattr(model, name) for name in model.network_names])
    if not any("float16" in compute_dtypes(network) for network in networks):
        return optimizers
    several = model.distribute_strategy.num_replicas_in_sync > 1
    return {player: _wrapped(optimizer, several) for player, optimizer in optimizers.items()}


def _wrapped(optimizer, several):
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return LossScaleOptimizer(optimizer)
    if type(optimizer) is keras.optimizers.LossScaleOptimizer and several and not optimizer.built:
        return LossScaleOptimizer.from_config(optimizer.get_config())
    return optimizer
