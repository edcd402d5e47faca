"""Pictures of the same latents while the model learns."""

import os
import re

import keras
import numpy as np

from keras_gans.callbacks._support import (
    check_optional_int,
    check_path,
    check_reals,
    check_samples,
    is_chief,
    samples_to_draw,
    steps_taken,
)
from keras_gans.checks import check_int
from keras_gans.images import read_png, save_animation, save_png
from keras_gans.training import kinds

MAX_FRAMES = 100
MAX_SIDE = 800
FRAME_MS = 120
LAST_FRAME_MS = 2000


class SampleGrid(keras.callbacks.Callback):
    """Writes a grid of samples now and then, and at the end an animation of all of them.

    Every grid shows the same latents, so that a cell is one picture that takes shape. Of
    label-conditional models the grid has one column a class. Models of point sets give a plot.

    Files in `directory`:

    - `epoch_0000.png`, before training, `epoch_0001.png` after the first epoch, and so on; with
      `every_steps`, `step_000000.png`, `step_000500.png`, ... instead;
    - the last one is written when training ends, even between two due ones;
    - `samples.gif`: at most 100 of them, evenly picked, the last one shown for longer. A run that
      goes on where an earlier one stopped animates the earlier one's pictures too;
    - of models of videos `videos.gif`, the latest grid in motion, where each `.png` has a row of
      frames for every video.

    When several workers train together only the chief writes.

    Args:
        directory: str or path-like, where the files go. It is made if it does not exist.
        every_epochs: int, 1 or more, epochs between two grids. Not used with `every_steps`.
        num: int, 1 or more, samples in a grid. Default: 64 pictures, 16 videos, or 1000
            points.
        columns: int, 1 or more, pictures in a row. Default: one for each class, or a square.
        seed: int, 0 or more, from which the latents are drawn.
        labels: integer sequence of `num` classes, for label-conditional models. Default: all
            classes in turn.
        every_steps: int, 1 or more, training steps between two grids. Default: count epochs.
        animation: bool, whether to write `samples.gif` and `videos.gif`.
        reals: float array (num, dim), for models of point sets: some of the data, drawn in grey
            beneath the samples, which also sets the axes. Optional.
        samples: function of the model that returns the uint8 pictures (num, H, W, C) of a grid, in
            place of `model.generate(num, seed, labels)`. For models that make pictures out of
            pictures, and for grids with an order of their own. Optional.

    Raises:
        ValueError: if an argument is not as said above.

    Example:

    ```python
    gan.fit(dataset, epochs=20, callbacks=[SampleGrid("samples", num=100, columns=10)])
    ```
    """

    def __init__(
        self,
        directory,
        every_epochs=1,
        num=None,
        columns=None,
        seed=0,
        labels=None,
        every_steps=None,
        animation=True,
        reals=None,
        samples=None,
    ):
        super().__init__()
        self.directory = check_path("directory", directory)
        self.every_epochs = check_int("every_epochs", every_epochs, 1)
        self.num = check_optional_int("num", num, 1)
        self.columns = check_optional_int("columns", columns, 1)
        self.seed = check_int("seed", seed, 0)
        self.labels = _check_labels(labels, self.num)
        self.every_steps = check_optional_int("every_steps", every_steps, 1)
        if not isinstance(animation, bool):
            raise ValueError(f"`animation` must be True or False. Received: {animation!r}")
        self.animation = animation
        self.reals = check_reals(reals)
        self.samples = check_samples(samples)
        self._writes, self._epoch, self._frames = False, None, []

    def on_train_begin(self, logs=None):
        self._writes = is_chief(self.model)
        self._first_step = self._step = steps_taken(self.model)
        self._epoch = None
        self._last = None
        self._frames = []

    def on_epoch_begin(self, epoch, logs=None):
        if self._epoch is None:  # Keras tells where a resumed run begins only here.
            self._epoch = epoch
            self._frames = self._earlier_frames()
            if self._position() == 0:
                self._write()
        self._epoch_first_step = self._step

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, self._epoch_first_step + batch + 1
        # With steps_per_execution several steps pass at once, and one of them may be the due one.
        if self.every_steps and before // self.every_steps < self._step // self.every_steps:
            self._write()

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        if not self.every_steps and self._epoch % self.every_epochs == 0:
            self._write()

    def on_train_end(self, logs=None):
        if self._epoch is not None and self._position() != self._last:
            self._write()
        self.write_animation()

    def get_state(self):
        """What a run that is resumed needs to go on with these grids; see `Resume`."""
        return {"epoch": self._epoch, "epoch_first_step": self._epoch_first_step}

    def set_state(self, state):
        self._epoch, self._epoch_first_step = state["epoch"], state["epoch_first_step"]
        self._frames = self._earlier_frames()

    def write_animation(self):
        """Writes `samples.gif` from the pictures so far; for a run that was interrupted."""
        if not (self._writes and self.animation and self._frames):
            return
        frames = _of_one_size([read_png(path) for path in _evenly(self._frames, MAX_FRAMES)])
        durations = [FRAME_MS] * (len(frames) - 1) + [LAST_FRAME_MS]
        save_animation(os.path.join(self.directory, "samples.gif"), frames, durations)

    def _position(self):
        return self._step if self.every_steps else self._epoch

    def _name(self, position):
        kind, digits = ("step", 6) if self.every_steps else ("epoch", 4)
        return f"{kind}_{position:0{digits}d}.png"

    def _write(self):
        if not self._writes:
            return
        self._last = self._position()
        path = os.path.join(self.directory, self._name(self._last))
        values, columns = samples_to_draw(
            self.model, self.num, self.seed, self.labels, self.columns, self.samples
        )
        save_png(path, kinds.render(values, columns, self.reals))
        self._frames.append(path)
        if self.animation and (moving := kinds.animate(values, columns)):
            path = os.path.join(self.directory, "videos.gif")
            save_animation(path, _of_one_size(moving), [FRAME_MS] * len(moving))

    def _earlier_frames(self):
        """Files that an earlier part of this run left, up to where this part begins."""
        pattern = re.compile(("step" if self.every_steps else "epoch") + r"_(\d+)\.png")
        names = os.listdir(self.directory) if os.path.isdir(self.directory) else ()
        found = [(int(match[1]), match[0]) for name in names if (match := pattern.fullmatch(name))]
        position = self._position()
        # What was written at 0 is written again; the rest of an old run is not this run's past.
        earlier = sorted(pair for pair in found if position and pair[0] <= position)
        return [os.path.join(self.directory, name) for _, name in earlier]


def _check_labels(labels, num):
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) == 0:
        raise ValueError(f"`labels` must be a sequence of integers. Received: {labels!r}")
    if num is not None and len(array) != num:
        raise ValueError(f"`labels` must have `num` = {num} entries. Received: {len(array)}")
    return array


def _evenly(items, most):
    """At most `most` of the items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]


def _of_one_size(frames):
    """The frames of the last one's shape, each made no larger than MAX_SIDE pixels."""
    from PIL import Image

    frames = [frame for frame in frames if frame.shape == frames[-1].shape]
    height, width, channels = frames[-1].shape
    if max(height, width) <= MAX_SIDE:
        return frames
    scale = MAX_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    flat = (frame[..., 0] if channels == 1 else frame for frame in frames)
    return [np.asarray(Image.fromarray(frame).resize(size, Image.BOX)) for frame in flat]
