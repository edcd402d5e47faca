"""Numbers that change while a model trains: functions of the step.

They are Keras' learning rate schedules, whose own (`CosineDecay`, `PiecewiseConstantDecay`, ...) do
as well. One object is an optimizer's rate, and any setting of a model that it takes `at_step`, such
as `ema_decay` and the weights of penalties. There, the step is the number of finished steps; in an
optimizer, of its own updates. It is saved with the optimizers, and begins at 0 again with new ones:
after `compile`, in a preset that is loaded, in a stage that has grown.

Example:

>>> gan = R3GAN(generator, discriminator, gp_weight=Cosine(0.05, 0.005, total_steps=40_000))
"""

import functools
import math
import numbers

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans.checks import check_count, check_number, check_positive, check_scheduled


def writes_schedules(get_config):
    """Decorates a method `get_config`, whose schedules are then as Keras writes them."""

    @functools.wraps(get_config)
    def written(self):
        return {
            name: keras.saving.serialize_keras_object(value)
            if isinstance(value, LearningRateSchedule)
            else value
            for name, value in get_config(self).items()
        }

    return written


@keras.saving.register_keras_serializable("keras_gans")
class ConstantThenLinear(LearningRateSchedule):
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


@keras.saving.register_keras_serializable("keras_gans")
class DividedDownTo(LearningRateSchedule):
    """A rate that is divided by the same number in each step, down to a least one.

        rate(t) = max(r / d^t, m)

    with r = `initial_rate`, d = `divisor` and m = `minimum`. Keras's `ExponentialDecay` knows no
    m, and has 1 / d in float32, where 1 / 1.000004 is wrong by as much as 1 % of what is left out.

    Args:
        initial_rate: positive number.
        divisor: number above 1.
        minimum: number of at least 0, not above `initial_rate`.

    Example:

    >>> rate = DividedDownTo(0.1, divisor=1.00004, minimum=1e-6)
    >>> [round(float(rate(step)), 6) for step in (0, 17_329, 1_000_000)]
    [0.1, 0.05, 1e-06]

    Reference:
        Goodfellow et al., 2014 (arXiv:1406.2661), the authors' code.
    """

    def __init__(self, initial_rate, divisor, minimum=0.0):
        super().__init__()
        self.initial_rate = check_positive("initial_rate", initial_rate)
        self.divisor = check_number("divisor", divisor)
        if divisor <= 1:
            raise ValueError(f"`divisor` must be above 1. Received: {divisor!r}")
        self.minimum = check_number("minimum", minimum)
        if not 0 <= minimum <= initial_rate:
            raise ValueError(
                f"`minimum` must be in [0, {initial_rate}], up to `initial_rate`. "
                f"Received: {minimum!r}"
            )

    def __call__(self, step):
        exponent = -math.log(self.divisor) * ops.cast(step, "float32")
        return ops.maximum(self.initial_rate * ops.exp(exponent), self.minimum)

    def get_config(self):
        names = ("initial_rate", "divisor", "minimum")
        return {name: getattr(self, name) for name in names}


class _FromTo(LearningRateSchedule):
    """From one number to another, by a function `way` of [0, 1] to [0, 1]."""

    def __init__(self, initial, final, total_steps, begin=0):
        super().__init__()
        self.initial = check_number("initial", initial)
        self.final = check_number("final", final)
        self.total_steps = check_count("total_steps", total_steps)
        is_integer = isinstance(begin, numbers.Integral) and not isinstance(begin, bool)
        if not is_integer or not 0 <= begin < total_steps:
            raise ValueError(
                "`begin` must be an integer of at least 0 and below `total_steps`, "
                f"{total_steps}. Received: {begin!r}"
            )
        self.begin = int(begin)

    def __call__(self, step):
        done = ops.cast(step, "float32") - self.begin
        way = self.way(ops.clip(done / (self.total_steps - self.begin), 0.0, 1.0))
        return (1.0 - way) * self.initial + way * self.final

    def get_config(self):
        names = ("initial", "final", "total_steps", "begin")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("keras_gans")
class Linear(_FromTo):
    """A straight line between two numbers: a warm-up, a fade, an annealed weight.

        value(t) = initial + (final - initial) s,    s = (t - begin) / (total_steps - begin)

    with s within [0, 1].

    Args:
        initial: number at the step `begin` and before.
        final: number at the step `total_steps` and after.
        total_steps: step at which the line ends, at least 1.
        begin: step at which it begins, in [0, total_steps).

    Example:

    >>> weight = Linear(0.0, 1.0, total_steps=300, begin=100)
    >>> [float(weight(step)) for step in (0, 100, 150, 300, 999)]
    [0.0, 0.0, 0.25, 1.0, 1.0]

    Reference:
        Sønderby et al., 2016 (arXiv:1602.02282): the weight of a KL divergence, from 0 to 1.
    """

    def way(self, part):
        return part


@keras.saving.register_keras_serializable("keras_gans")
class Cosine(_FromTo):
    """Half a period of a cosine between two numbers, up or down, from 0 too.

        value(t) = initial + (final - initial) (1 - cos(pi s)) / 2

    with s as in `Linear`.

    Args:
        initial, final, total_steps, begin: see `Linear`.

    Example:

    >>> gamma = Cosine(0.05, 0.005, total_steps=40_000)
    >>> [round(float(gamma(step)), 4) for step in (0, 20_000, 40_000)]
    [0.05, 0.0275, 0.005]

    Reference:
        Huang et al., 2024 (arXiv:2501.05441), the authors' code.
    """

    def way(self, part):
        return 0.5 - 0.5 * ops.cos(math.pi * part)


class _Wrapped(LearningRateSchedule):
    """With a schedule among its settings."""

    @writes_schedules
    def get_config(self):
        return dict(vars(self))

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


@keras.saving.register_keras_serializable("keras_gans")
class OfImages(_Wrapped):
    """A schedule that counts images: value(t) = schedule(t images_per_step).

    What a paper says in images seen is then said in images, and the minibatch once.

    Args:
        schedule: schedule whose steps are images.
        images_per_step: images in a step; in an optimizer's rate, in an update of its player.

    Example:

    >>> gamma = OfImages(Cosine(0.05, 0.005, total_steps=20_000_000), images_per_step=512)
    >>> round(float(gamma(39_062)), 4)  # 19,999,744 images
    0.005

    Reference:
        Karras et al., 2018 (arXiv:1710.10196) measure all of a training so.
    """

    def __init__(self, schedule, images_per_step):
        super().__init__()
        if not isinstance(schedule, LearningRateSchedule):
            raise ValueError(
                "`schedule` must be a schedule, a keras.optimizers.schedules.LearningRateSchedule. "
                f"Received: {schedule!r}"
            )
        self.schedule = check_scheduled("schedule", schedule, check_number)
        self.images_per_step = check_count("images_per_step", images_per_step)

    def __call__(self, step):
        return self.schedule(ops.cast(step, "int64") * self.images_per_step)


@keras.saving.register_keras_serializable("keras_gans")
class HalfLife(_Wrapped):
    """A decay by which half of an average is from the last `half_life` images.

        decay(t) = 2^(-images_per_step / half_life)

    Args:
        half_life: positive number of images, or a schedule of it whose steps are images. Where it
            is 0 the average is what it follows.
        images_per_step: images in a step.

    Example:

    With 32 images a step, StyleGAN2's: 10,000 images, but at most a twentieth of those seen.

    >>> gan = GAN(*networks, ema_decay=HalfLife(Linear(0, 10_000, 200_000), images_per_step=32))

    Reference:
        Karras et al., 2020 (arXiv:1912.04958), the authors' code.
    """

    def __init__(self, half_life, images_per_step):
        super().__init__()
        self.half_life = check_scheduled("half_life", half_life, check_positive)
        self.images_per_step = check_count("images_per_step", images_per_step)

    def __call__(self, step):
        half_life = self.half_life
        if isinstance(half_life, LearningRateSchedule):
            half_life = half_life(ops.cast(step, "int64") * self.images_per_step)
        half_lives = self.images_per_step / ops.maximum(ops.cast(half_life, "float32"), 1e-8)
        return ops.power(0.5, half_lives)
