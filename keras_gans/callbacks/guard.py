"""Training that stops where it breaks, and says so where it goes wrong."""

import math
import os
import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from keras_gans.callbacks._diagnosis import Symptoms, broken_terms, broken_weights, spread
from keras_gans.callbacks._support import check_keras_path, is_chief, steps_taken
from keras_gans.checks import check_int
from keras_gans.files import replacing
from keras_gans.training import checkpoints, kinds
from keras_gans.training.base import AdversarialModel
from keras_gans.training.ports import asked_together, makes_from_latents

NUM_SAMPLES = 32  # from which the spread is measured
MAX_CLASSES = 16  # among the samples, so that each has another one of its class


class Guard(keras.callbacks.Callback):
    """Stops training at a loss or weight that is not finite, and goes back to the last good state.

    Every `every_steps` steps, and at the end of an epoch, it looks at all losses and other reported
    terms, all weights, and the state of all optimizers. Where one is NaN or infinite, training
    stops. The message says which player broke, in which term, at which step. The model is left in
    the last good state: networks, averages, optimizers and random stream, as they were at a look
    that found nothing wrong. With `Resume` the newest checkpoint stays as it is. A step that a
    `LossScaleOptimizer` skips breaks nothing.

    It also recognises three ways in which training fails with finite numbers. Each gives a sentence
    of advice with the number behind it, once in a run:

    - Collapse: the samples of a batch are nearly alike. Measured is the difference of two samples
      (root mean square over their values) from different latents, of one class where there are
      classes; and of all such pairs the median. It is less than 3 % of the one of `reals`, or of
      the largest so far, or without `reals` less than a grey level of pictures. Of a model that
      makes several things of one latent, as CoGAN does, it is the least among them.
    - A saturated discriminator: its loss is below 0.02, and the generator's is 20 times as much, or
      close to 0 from below, where Goodfellow's first loss ends. The losses of critics have no such
      bound, so this is said of the model's `contests` only.
    - An exploding penalty: one of the model's `penalties` is above 100, or above 10 and above 50
      times its median.

    The first two are said when `patience` looks in a row have found them. Which players judge, and
    which terms are penalties, the model's class declares (see `AdversarialModel`); of what it does
    not declare nothing is said.

    All is printed to stderr, by the chief where there are several workers; all workers decide
    alike. Training has the same results as without a Guard. Between looks it costs nothing.

    Args:
        every_steps: int, 1 or more, training steps between two looks. With 1 it also tells weights
            that broke from losses that broke because of them.
        keep_every_steps: int, 1 or more, training steps between two states that are kept, in the
            host's memory, to go back to. Only the last one is kept, and only at looks.
        path: str or path-like ending in ".keras", to which the last good state is written when
            training breaks. Optional: the model is left in that state anyway.
        reals: 2 or more of the data, such as a batch, with or without labels: pictures (num, H, W,
            C), float in [-1, 1] or uint8, or float points (num, dim). With it a collapse shows that
            was there from the beginning. Of models that make several things, a tuple of them all.
            Not for models that make pictures out of pictures, whose samples are not looked at.
            Optional.
        patience: int, 1 or more, see above.
        raise_error: bool, whether `fit` then raises FloatingPointError, with the model in its last
            good state, in the place of returning early.

    Attributes:
        failure: str, what broke training; `None` while nothing did.
        warnings: list of str, what else it said in this `fit`.

    Raises:
        ValueError: if an argument is not as said above; when training begins, if the model is none
            of this package, has weights that are not finite, or does not fit `reals`.
        FloatingPointError: see `raise_error`.

    Example:

    ```python
    guard = Guard(path="run/last_good.keras", reals=next(iter(dataset)))
    gan.fit(dataset, epochs=20, callbacks=[guard])
    if guard.failure:
        gan.critic_optimizer.learning_rate = 1e-5
        gan.fit(dataset, epochs=20, callbacks=[guard])
    ```
    """

    def __init__(
        self,
        every_steps=100,
        keep_every_steps=1000,
        path=None,
        reals=None,
        patience=5,
        raise_error=False,
    ):
        super().__init__()
        self.every_steps = check_int("every_steps", every_steps, 1)
        self.keep_every_steps = check_int("keep_every_steps", keep_every_steps, 1)
        self.path = None if path is None else check_keras_path(path)
        self.reals = reals
        self.patience = check_int("patience", patience, 1)
        if not isinstance(raise_error, bool):
            raise ValueError(f"`raise_error` must be True or False. Received: {raise_error!r}")
        self.raise_error = raise_error
        self.failure, self.warnings = None, []

    def on_train_begin(self, logs=None):
        model = self.model
        if not isinstance(model, AdversarialModel):
            raise ValueError(
                "Guard must be a callback of `fit` of a model of keras_gans. "
                f"Received: a {type(model).__name__}"
            )
        self.failure, self.warnings = None, []
        self._step = self._epoch_first_step = steps_taken(model)
        self._looked_at = None  # the step of the last look
        self._means = {}
        variables = checkpoints.variables_of(model)
        self._state = {n: v for n, v in variables.items() if not n.startswith("metrics/")}
        self._floats = [v for v in self._state.values() if tf.as_dtype(v.dtype).is_floating]
        self._measure = _measure_function(model, self._floats)
        self._classes = min(model.num_classes or 1, MAX_CLASSES)
        self._inputs = _sampler_inputs(model, self._classes)
        self._samplers = [port.network for port in asked_together(model.ports()).values()]
        self._symptoms = Symptoms(
            model,
            self._rate_of,
            self.patience,
            self._spread_of_reals(),
            pictures=isinstance(model.sample_kind(), kinds.Pictures),
        )

    def on_epoch_begin(self, epoch, logs=None):
        first, self._looked_at = self._looked_at is None, self._step
        self._epoch_first_step = self._step
        if first:
            self._sums, finite = self._measure()  # of the begun epoch, after `Resume`
            if not finite.all():
                path = self._floats[finite.argmin()].path
                raise ValueError(
                    f"The model must have finite weights. Received: `{path}`, which is not"
                )
            self._keep()
        else:
            self._sums = np.zeros_like(self._sums)  # Keras has reset the metrics.

    def on_train_batch_end(self, batch, logs=None):
        self._step, every = self._epoch_first_step + batch + 1, self.every_steps
        # With steps_per_execution several steps pass at once, and one of them may be the due one.
        if not self.failure and self._looked_at // every < self._step // every:
            self._look(due=True)

    def on_epoch_end(self, epoch, logs=None):
        # The metrics are about to be reset. This may be long before a due look, and samples take
        # time: they are not looked at.
        if not self.failure and self._looked_at < self._step:
            self._look(due=False)

    def get_state(self):
        """What a run that is resumed needs to go on counting, and not to say things twice."""
        steps = {"step": self._step, "epoch_first_step": self._epoch_first_step}
        return {**steps, "symptoms": self._symptoms.get_state()}

    def set_state(self, state):
        self._step, self._epoch_first_step = state["step"], state["epoch_first_step"]
        if self._looked_at is not None:
            self._looked_at = self._step
        self._symptoms.set_state(state["symptoms"])

    def _look(self, due):
        before, steps = self._sums, range(self._looked_at + 1, self._step + 1)
        (self._sums, finite), self._looked_at = self._measure(), self._step
        terms = dict(zip(self.model.report_metrics, self._sums - before, strict=True))
        broken = {name: row[1:] for name, row in terms.items() if not math.isfinite(row[0])}
        if broken:
            self._fail(broken_terms(broken, steps, list(self.model.players), self._means))
            return
        if not finite.all():
            self._fail(self._broken_weights(finite, steps))
            return
        self._means = {n: total / count for n, (total, count, _) in terms.items() if count}
        if due:
            for text in self._symptoms.advice(steps, self._means, self._spread_of_samples()):
                self.warnings.append(text)
                self._print(text)
        if self._kept_at // self.keep_every_steps < self._step // self.keep_every_steps:
            self._keep()

    def _keep(self):
        self._kept_at, self._kept = self._looked_at, checkpoints.snapshot(self._state)

    def _fail(self, text):
        """Ends training, restores the last good state, writes it, and says what broke."""
        self.model.stop_training = True
        rates = ", ".join(f"{self._rate_of(p):.4g} for the {p}" for p in self.model.players)
        with self.model.distribute_strategy.scope():
            for name, variable in self._state.items():
                variable.assign(self._kept[name])
        self.failure = (
            f"{text} Training stopped after step {self._step:,}; the model is back in the state of "
            f"step {self._kept_at:,}, the last good one that was kept{self._written()}. Go on with "
            f"lower rates (then {rates}), or bound the gradients by `clipnorm`."
        )
        if self.raise_error:
            raise FloatingPointError(self.failure)
        self._print(self.failure)

    def _written(self):
        """Writes the last good state, and how the sentence on it goes on."""
        if self.path is None:
            return ""
        if not is_chief(self.model):  # All must save: some variables are read by all together.
            with tempfile.TemporaryDirectory() as directory:
                self.model.save(os.path.join(directory, "model.keras"))
            return ""
        try:
            with replacing(self.path, ".keras") as temporary:
                self.model.save(temporary)
        except OSError as error:  # The model is still there to be saved elsewhere.
            return f" (it can't be written to '{self.path}': {error})"
        return f" (written to '{self.path}')"

    def _broken_weights(self, finite, steps):
        broken = [v for v, fine in zip(self._floats, finite, strict=True) if not fine]
        owner = _owner_of(broken[0], self.model)
        return broken_weights(owner, broken[0].path, len(broken) - 1, steps)

    def _spread_of_reals(self):
        if self.reals is None:
            return None
        if not makes_from_latents(self.model):
            raise ValueError(
                f"`reals` must be None for a {type(self.model).__name__}, whose samples are not "
                "looked at. Received: reals"
            )
        given = self.reals if isinstance(self.reals, tuple) else (self.reals,)
        if len(given) < len(self._samplers):
            raise ValueError(
                f"`reals` must be a tuple of the {len(self._samplers)} kinds that "
                f"{type(self.model).__name__} makes. Received: {len(given)}"
            )
        spreads = []
        for sampler, reals in zip(self._samplers, given, strict=False):  # labels are left out
            reals = kinds.samples("reals", sampler.output_shape[1:]).from_border(reals)
            if len(reals) < 2:
                raise ValueError(f"`reals` must be 2 or more. Received: {len(reals)}")
            spreads.append(spread(reals[:NUM_SAMPLES]))
        return min(spreads)

    def _spread_of_samples(self):
        """How far samples of one class are from each other; None for a model without latents."""
        if self._inputs is None:
            return None
        made = (self.model._in_graph(sampler, self._inputs) for sampler in self._samplers)
        spreads = [spread(np.asarray(samples, "float32"), self._classes) for samples in made]
        value = float(np.min(spreads))  # of which one may be NaN
        return value if math.isfinite(value) else None  # the next losses will not be finite either

    def _rate_of(self, player):
        return float(np.asarray(self.model.optimizer_of(player).learning_rate))

    def _print(self, text):
        if is_chief(self.model):
            print(f"\nGuard: {text}", file=sys.stderr, flush=True)


def _measure_function(model, variables):
    """A function that reads a model by one call of a graph.

    It returns the sum, the updates and the finite updates of each reported term (terms, 3), and
    whether each variable is finite (variables,).
    """

    def measure():
        sums = [
            tf.stack([metric.total.value, metric.count.value, metric.finite_updates.value])
            for metric in model.report_metrics.values()
        ]
        finite = [tf.reduce_all(tf.math.is_finite(variable.value)) for variable in variables]
        return tf.stack(sums), tf.stack(finite)

    with model.distribute_strategy.scope():
        graph = tf.function(measure, autograph=False).get_concrete_function()

    def call():
        with model.distribute_strategy.scope():
            sums, finite = graph()
        return sums.numpy().astype("float64"), finite.numpy()

    return call


def _sampler_inputs(model, classes):
    """What the samples are made from, the same at each look; `generate` would make it each time."""
    if not makes_from_latents(model):
        return None
    labels = np.arange(NUM_SAMPLES) % classes if model.num_classes else None
    inputs = model.generator_inputs(NUM_SAMPLES, 0, labels)
    return tree.map_structure(tf.convert_to_tensor, inputs)


def _owner_of(variable, model):
    for player, names in model.players.items():
        networks = tree.flatten([getattr(model, name) for name in names])
        if any(variable is v for network in networks for v in network.variables):
            return f"the {player}"
        if any(variable is v for v in model.optimizer_of(player).variables):
            return f"the {player}'s optimizer"
    return "the model"
