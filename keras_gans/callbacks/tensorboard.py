"""Losses and samples for TensorBoard."""

import io

import keras
import numpy as np
import tensorflow as tf

from keras_gans.callbacks._support import (
    StepMeans,
    check_optional_int,
    check_path,
    check_reals,
    check_samples,
    draw,
    is_chief,
    steps_taken,
)
from keras_gans.checks import check_int


class TensorBoard(keras.callbacks.Callback):
    """Writes all logs as scalars, and a grid of samples as an image, by training step.

    Keras's own `TensorBoard` callback shows no pictures and counts batches of one `fit` from 0.
    This one goes on counting in a second `fit`, takes samples from the same latents each time, and
    writes the event file without the `tensorboard` package, which only the reader needs:
    `tensorboard --logdir DIRECTORY`.

    A scalar is the mean over the steps since the one before it.

    Args:
        log_dir: str or path-like, the directory of the event file. It is made if it does not exist.
        every_epochs: int, 1 or more, epochs between two images. Not used with `every_steps`.
        num: int, 1 or more, samples in an image. Default: 64 pictures, or 1000 points.
        seed: int, 0 or more, from which the latents are drawn.
        scalars_every_steps: int, 1 or more, training steps between two scalars. The end of an epoch
            has one in any case.
        every_steps: int, 1 or more, training steps between two images. Default: count epochs.
        reals: float array (num, dim), for models of point sets: some of the data, drawn in grey
            beneath the samples, which also sets the axes. Optional.
        samples, columns: see `SampleGrid`. Optional.

    Raises:
        ValueError: if an argument is not as said above.

    Example:

    ```python
    gan.fit(dataset, epochs=20, callbacks=[TensorBoard("run/tensorboard")])
    ```
    """

    def __init__(
        self,
        log_dir,
        every_epochs=1,
        num=None,
        seed=0,
        scalars_every_steps=50,
        every_steps=None,
        reals=None,
        samples=None,
        columns=None,
    ):
        super().__init__()
        self.log_dir = check_path("log_dir", log_dir)
        self.every_epochs = check_int("every_epochs", every_epochs, 1)
        self.num = check_optional_int("num", num, 1)
        self.seed = check_int("seed", seed, 0)
        self.scalars_every_steps = check_int("scalars_every_steps", scalars_every_steps, 1)
        self.every_steps = check_optional_int("every_steps", every_steps, 1)
        self.reals = check_reals(reals)
        self.samples = check_samples(samples)
        self.columns = check_optional_int("columns", columns, 1)
        self._writer = None

    def on_train_begin(self, logs=None):
        self._writer = None
        if is_chief(self.model):
            self._writer = tf.summary.create_file_writer(self.log_dir)
        self._means = StepMeans(self.model)
        self._step = self._written_step = steps_taken(self.model)
        self._epoch_first_step = self._step
        self._logs = {}

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0 and self._step == 0:
            self._write_image()
        self._means.begin_epoch()
        self._epoch_first_step = self._step

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, self._epoch_first_step + batch + 1
        self._logs = dict(logs or {})
        if before // self.scalars_every_steps < self._step // self.scalars_every_steps:
            self._write_scalars()
        if self.every_steps and before // self.every_steps < self._step // self.every_steps:
            self._write_image()

    def on_epoch_end(self, epoch, logs=None):
        if self._step > self._written_step:
            self._write_scalars()
        if not self.every_steps and (epoch + 1) % self.every_epochs == 0:
            self._write_image()
        if self._writer is not None:
            self._writer.flush()

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.close()

    def get_state(self):
        """What a run that is resumed needs to go on with these scalars; see `Resume`."""
        if self._writer is not None:
            self._writer.flush()  # A run that is resumed does not write them again.
        return {
            "written_step": self._written_step,
            "epoch_first_step": self._epoch_first_step,
            "means": self._means.get_state(),
        }

    def set_state(self, state):
        self._written_step = state["written_step"]
        self._epoch_first_step = state["epoch_first_step"]
        self._means.set_state(state["means"])

    def _write_scalars(self):
        self._written_step = self._step
        if self._writer is None:
            return
        means = self._means.since_last(self._step - self._epoch_first_step, self._logs)
        with self._writer.as_default():
            for name, value in means.items():
                _write_scalar(name, value, self._step)

    def _write_image(self):
        if self._writer is None:
            return
        picture = draw(
            self.model, self.num, self.seed, None, self.columns, self.reals, self.samples
        )
        with self._writer.as_default():
            _write_image("samples", picture, self._step)


# `tf.summary.scalar` and `tf.summary.image` are in the tensorboard package, which TensorFlow does
# not require; `tf.summary.write` is TensorFlow's own. A summary is a tensor and the name of the
# plugin that shows it.


def _metadata(plugin, data_class):
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = plugin
    metadata.data_class = data_class
    return metadata


def _write_scalar(name, value, step):
    metadata = _metadata("scalars", 1)  # DATA_CLASS_SCALAR
    tf.summary.write(name, tf.constant(value, tf.float32), step, metadata)


def _write_image(name, image, step):
    from PIL import Image

    height, width, channels = image.shape
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if channels == 1 else np.ascontiguousarray(image)).save(
        file, "PNG"
    )
    # The plugin's format: width and height as text, then the encoded pictures.
    tensor = tf.constant([str(width), str(height), file.getvalue()])
    tf.summary.write(name, tensor, step, _metadata("images", 3))  # DATA_CLASS_BLOB_SEQUENCE
