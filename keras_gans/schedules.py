"""Learning rates as functions of the step."""

import numbers

import keras
from keras import ops

from keras_gans.checks import check_count, check_positive


@keras.saving.register_keras_serializable("keras_gans")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays as it is for a part of the training, and then falls linearly to 0.

        rate(t) = r                         for t <= k
                  r (T - t) / (T - k)       for k < t < T
                  0                         for t >= T

    with r = `initial_rate`, T = `total_steps` and k = `constant_fraction` T.

    Args:
        initial_rate: positive number.
        total_steps: steps after which the rate is 0, at least 1.
        constant_fraction: part of the steps with the initial rate, in [0, 1).

    Example:

    >>> rate = ConstantThenLinear(2e-4, total_steps=200)
    >>> [round(float(rate(step)), 7) for step in (0, 100, 150, 200)]
    [0.0002, 0.0002, 0.0001, 0.0]

    Reference:
        Zhu et al., 2017 (arXiv:1703.10593), section 4: half and half.
    """

    def __init__(self, initial_rate, total_steps, constant_fraction=0.5):
        super().__init__()
        self.initial_rate = check_positive("initial_rate", initial_rate)
        self.total_steps = check_count("total_steps", total_steps)
        is_number = isinstance(constant_fraction, numbers.Real)
        if not is_number or not 0 <= constant_fraction < 1:
            raise ValueError(
                f"`constant_fraction` must be in [0, 1). Received: {constant_fraction!r}"
            )
        self.constant_fraction = constant_fraction

    def __call__(self, step):
        left = self.total_steps - ops.cast(step, "float32")
        falling = left / ((1.0 - self.constant_fraction) * self.total_steps)
        return self.initial_rate * ops.clip(falling, 0.0, 1.0)

    def get_config(self):
        return {
            "initial_rate": self.initial_rate,
            "total_steps": self.total_steps,
            "constant_fraction": self.constant_fraction,
        }
