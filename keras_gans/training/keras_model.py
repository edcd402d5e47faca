"""Keras's own Model API, for models of several players: docs/keras.md has it as a table."""

import keras
import numpy as np

from keras_gans import checks
from keras_gans.training import pipeline
from keras_gans.training.ports import main_port

WRITERS = {
    "tf_saved_model": "savedmodel(gan, directory)",
    "litert": "tflite(gan, 'model.tflite')",
    "onnx": "onnx(gan, 'model.onnx')",
}


class PlayersModel(keras.Model):
    """What `keras.Model` has, where players stand in the place of one loss and one optimizer.

    What has no meaning for them is refused, and the error says what to do instead.
    """

    def __dir__(self):
        # Keras saves what it finds by `dir`, and this optimizer is its player's already.
        return [name for name in super().__dir__() if name != "optimizer"]

    @property
    def optimizer(self):
        """The optimizer of the generator, or of the first player that makes samples.

        It is for callbacks that know one optimizer: those that read or set a rate get this one's.
        `optimizer_of(player)` is any player's, and the logs of epochs have all rates. `None` before
        `compile`.
        """
        makers = self.makers or tuple(self.players)
        player = "generator" if "generator" in makers else next(iter(makers), None)
        return getattr(self, f"{player}_optimizer", None)

    @optimizer.setter
    def optimizer(self, optimizer):
        if optimizer is not None:  # Keras's `compile` sets None
            names = ", ".join(f"{player}_optimizer=" for player in self.players)
            raise ValueError(
                "`optimizer` can't be set, as each player has one of its own: use "
                f"`compile({names})`. Received: {optimizer!r}"
            )

    def own_average_at_the_end(self):
        """Lets optimizers with `use_ema` end `fit` with the averages of their own player's weights.

        Keras hands the weights of all players to `optimizer`.
        """

        def finalize(_):
            for player in self.players:
                optimizer = self.optimizer_of(player)
                optimizer = getattr(optimizer, "inner_optimizer", optimizer)
                of_keras = type(optimizer).finalize_variable_values
                of_keras(optimizer, self.player_variables(player))

        self.optimizer.finalize_variable_values = finalize

    def evaluate(self, *args, **kwargs):
        """Raises ValueError: see `keras_gans.metrics.evaluate`, and `callbacks.Evaluate`."""
        self._refuse_loss("evaluate")

    def test_on_batch(self, *args, **kwargs):
        """Raises ValueError: see `evaluate`."""
        self._refuse_loss("test_on_batch")

    def _refuse_loss(self, method):
        raise ValueError(
            f"`{method}` of {type(self).__name__} has no meaning: players have no loss that says "
            "how good held-out data are. Use `keras_gans.metrics.evaluate(gan, reals, ['fid'])`, "
            "and while it trains `callbacks.Evaluate(['fid'], reals)`"
        )

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """What `call` makes, float32, in batches: of a GAN, of latents (num, latent_dim).

        Samples as they leave the package, uint8 and by the averaged network where there is one, are
        those of `generate`, `translate` and `ask`.

        Args:
            x: array, or a list of arrays where there are labels or more; or a `tf.data.Dataset`.
            batch_size, verbose, steps, callbacks: as in `keras.Model.predict`.

        Raises:
            ValueError: the arrays are none that the model takes.
        """
        self._check_inputs("predict", x)
        return super().predict(
            x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )

    def predict_on_batch(self, x):
        """`predict` for a single batch."""
        self._check_inputs("predict_on_batch", x)
        return super().predict_on_batch(x)

    def _check_inputs(self, method, x):
        parts = x if isinstance(x, list | tuple) else [x]
        if not all(hasattr(part, "shape") for part in parts):
            return  # a dataset
        port = main_port(self)
        wanted = [kind.shape for kind in port.inputs]
        shapes = [tuple(part.shape) for part in parts]
        fits = len(shapes) == len(wanted) and all(
            len(shape) == len(want) + 1
            and all(w in (None, s) for w, s in zip(want, shape[1:], strict=True))
            for shape, want in zip(shapes, wanted, strict=True)
        )
        if not fits:
            batches = ", ".join(str(("num", *want)).replace("'", "") for want in wanted)
            raise ValueError(
                f"`x` of `{method}` must be {port.takes}, in the shape {batches}, as "
                f"{type(self).__name__} makes {port.output.noun} of them (`gan.generate(8)` and "
                f"`gan.ask(...)` are the way to uint8). Received: {shapes}"
            )

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on one batch, which holds all minibatches that the step takes.

        Args:
            x, y: arrays of examples and, of conditional models, of their labels.
            sample_weight, class_weight: must be `None`.
            return_dict: whether to return a dict.

        Returns:
            The logs of this step, a list in the order of `metrics_names`, or a dict.

        Raises:
            ValueError: the data do not fit the model.
        """
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        checks.check_fit_arguments({n: v for n, v in weights.items() if v is not None})
        if self.distribute_strategy.num_replicas_in_sync > 1:
            raise ValueError(
                "`train_on_batch` must be called on one device, as every replica would get the "
                "whole batch: use `fit(..., steps_per_epoch=1)`. Received: a model under "
                f"{type(self.distribute_strategy).__name__}"
            )
        if not self.compiled:
            self.compile()
        given = x if isinstance(x, tuple) and y is None else (x,) if y is None else (x, y)
        spec = self.data_spec()
        parts = pipeline.select(given, spec, type(self).__name__)
        parts = [part if hasattr(part, "shape") else np.asarray(part) for part in parts]
        for kind, part in zip(spec, parts, strict=True):
            kind.check(part)
        self.make_train_function()
        self.reset_metrics()
        checked = tuple(k.checked(part) for k, part in zip(spec, parts, strict=True))
        pipeline.begin(self, checked)
        logs = self.train_function(iter([checked]))
        logs = {name: float(np.mean(value)) for name, value in logs.items()}
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Writes networks, weights, optimizers and random state, from which training goes on.

        Args:
            filepath: path that ends in ".keras".
            overwrite, zipped: as in `keras.Model.save`.

        Raises:
            ValueError: the path ends otherwise; nothing is written.
        """
        if zipped is not False:
            checks.check_model_path("filepath", filepath)
        return super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def export(self, filepath=None, format="tf_saved_model", **kwargs):
        """Raises ValueError: `keras_gans.export` writes models as what they are asked for."""
        writer = WRITERS.get(format, WRITERS["tf_saved_model"])
        raise ValueError(
            "`export` is a module here, which writes a model with its signatures and its card: "
            f"`from keras_gans import export; export.{writer}`. "
            f"Received: export({filepath!r}, format={format!r})"
        )

    def quantize(self, mode=None, **kwargs):
        """Raises ValueError: files are quantized, and no models that train."""
        raise ValueError(
            "`quantize` would leave networks that train no more: use "
            "`keras_gans.export.tflite(gan, 'model.tflite', quantization='int8')`. "
            f"Received: quantize({mode!r})"
        )

    def get_state_tree(self, value_format="backend_tensor"):
        """Raises ValueError: a tree by Keras's paths would hold one player's optimizer."""
        self._refuse_tree("get_state_tree")

    def set_state_tree(self, state_tree):
        """Raises ValueError: see `get_state_tree`."""
        self._refuse_tree("set_state_tree")

    def _refuse_tree(self, method):
        raise ValueError(
            f"`{method}` would leave out the optimizers of all players but one, and averaged "
            "networks have their original's paths. Use `get_weights`, `save_weights`, `save`, or "
            f"the callback `Resume`. Received: {method} of {type(self).__name__}"
        )
