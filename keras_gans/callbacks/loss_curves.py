"""The players' losses over a run, as a picture and as a table."""

import csv
import math
import os
import time

import keras
import numpy as np

from keras_gans.callbacks._support import StepMeans, check_path, is_chief, steps_taken
from keras_gans.checks import check_int
from keras_gans.files import replacing
from keras_gans.training.base import AdversarialModel

REFRESH_SECONDS = 60
MAKER_COLOR, JUDGE_COLOR = "tab:blue", "tab:red"
OTHER_COLORS = ("tab:green", "tab:purple", "tab:orange", "tab:brown", "tab:olive", "tab:cyan")


class LossCurves(keras.callbacks.Callback):
    """Draws each player's loss by training step, and writes the numbers beside it.

    The upper panel has the losses, of the players and the `loss_terms` of the model, a lower one
    whatever else it reports, such as a gradient penalty. Thin lines are the numbers, bold ones a
    moving average. The axes leave out the outermost half percent on either side, so that one spike
    does not flatten the rest.

    The table `<path without .png>.csv` has a row for each step up to `max_rows`. When there are
    more, each row is the mean over 2, then 4, then 8 steps: its size stays bounded however long the
    run is. It also has `images_per_second`.

    Both are written when training ends, and at the end of an epoch if a minute has passed since the
    last time. A run that goes on where an earlier one stopped keeps the earlier one's rows.

    Args:
        path: str or path-like, the picture, ending in ".png".
        title: str, the line above the picture. Default: the name of the model's class.
        max_rows: int, 2 or more, the most rows of the table.

    Raises:
        ValueError: if an argument is not as said above.

    Example:

    ```python
    gan.fit(dataset, epochs=20, callbacks=[LossCurves("run/losses.png")])
    ```
    """

    def __init__(self, path, title=None, max_rows=10_000):
        super().__init__()
        self.path = check_path("path", path)
        if not self.path.lower().endswith(".png"):
            raise ValueError(f"`path` must end in '.png'. Received: {path!r}")
        self.csv_path = self.path[: -len(".png")] + ".csv"
        if title is not None and not isinstance(title, str):
            raise ValueError(f"`title` must be a str. Received: {title!r}")
        self.title = title
        self.max_rows = check_int("max_rows", max_rows, 2)
        self._writes, self._rows, self._open = False, [], []

    def on_train_begin(self, logs=None):
        self._writes = is_chief(self.model)
        self._means = StepMeans(self.model)
        self._epoch_first_step = self._step = steps_taken(self.model)
        # A row is (step, {name: value}); it covers `_stride` calls, unless the last one is open.
        self._rows = self._earlier_rows(self._step) if self._writes else []
        self._stride = 1
        self._open = []
        self._written = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._means.begin_epoch()
        self._epoch_first_step = self._step

    def on_train_batch_end(self, batch, logs=None):
        if not self._writes:
            return
        self._step = self._epoch_first_step + batch + 1
        self._open.append((self._step, self._means.since_last(batch + 1, logs)))
        if len(self._open) == self._stride:
            self._rows.append(_merge(self._open))
            self._open = []
        while len(self._rows) >= self.max_rows:
            pairs = range(0, len(self._rows), 2)
            self._rows = [_merge(self._rows[index : index + 2]) for index in pairs]
            self._stride *= 2

    def on_epoch_end(self, epoch, logs=None):
        if time.monotonic() - self._written > REFRESH_SECONDS:
            self.write()

    def on_train_end(self, logs=None):
        self.write()

    def get_state(self):
        """What a run that is resumed needs to go on with this table; see `Resume`."""
        return {
            "rows": list(self._rows),
            "open": list(self._open),
            "stride": self._stride,
            "epoch_first_step": self._epoch_first_step,
            "means": self._means.get_state(),
        }

    def set_state(self, state):
        self._rows = [(step, values) for step, values in state["rows"]]
        self._open = [(step, values) for step, values in state["open"]]
        self._stride = state["stride"]
        self._epoch_first_step = state["epoch_first_step"]
        self._means.set_state(state["means"])

    def write(self):
        """Writes the table and the picture of the steps so far; for a run that was interrupted."""
        rows = self._rows + ([_merge(self._open)] if self._open else [])
        if self._writes and rows:
            names = list(dict.fromkeys(name for _, values in rows for name in values))
            self._write_csv(rows, names)
            title = self.title or type(self.model).__name__
            figure = draw_curves(rows, title, *_declared(self.model, names))
            with replacing(self.path, ".png") as temporary:
                figure.savefig(temporary)
        self._written = time.monotonic()

    def _write_csv(self, rows, names):
        with replacing(self.csv_path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", *names])
            for step, values in rows:
                cells = (f"{values[name]:.6g}" if name in values else "" for name in names)
                writer.writerow([step, *cells])

    def _earlier_rows(self, last_step):
        """The rows of an earlier part of this run, up to the step where this part begins."""
        if last_step == 0 or not os.path.exists(self.csv_path):
            return []
        with open(self.csv_path, newline="") as file:
            rows = [(int(row.pop("step")), row) for row in csv.DictReader(file)]
        return [
            (step, {name: float(cell) for name, cell in row.items() if cell})
            for step, row in rows
            if step <= last_step
        ]


def _declared(model, names):
    """The names of losses, and `{name: colour}` of the first maker's and the first judge's."""
    if not isinstance(model, AdversarialModel):  # Of other models Keras's names are all there is.
        return [name for name in names if name.endswith("loss")], {}
    colors = {f"{player}_loss": MAKER_COLOR for player in model.makers[:1]}
    colors |= {f"{player}_loss": JUDGE_COLOR for player in model.judges[:1]}
    return [*(f"{player}_loss" for player in model.players), *model.loss_terms], colors


def draw_curves(rows, title, losses, colors):
    """A matplotlib figure of `[(step, {name: value}), ...]`; see `LossCurves` and `_declared`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = dict.fromkeys(name for _, values in rows for name in values)
    names = [name for name in names if name != "images_per_second"]
    losses = [name for name in names if name in losses]
    others = [name for name in names if name not in losses]
    panels = [(kind, group) for kind, group in (("loss", losses), ("value", others)) if group]

    figure = Figure(figsize=(8, 1.2 + 3.2 * max(1, len(panels))), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    all_axes = figure.subplots(max(1, len(panels)), 1, sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title)
    for axes, (kind, group) in zip(all_axes, panels, strict=False):
        _draw_panel(axes, rows, group, colors)
        axes.set_ylabel(kind if len(group) > 1 or kind == "loss" else group[0].replace("_", " "))
    all_axes[-1].set_xlabel("step")
    return figure


def _draw_panel(axes, rows, names, colors):
    spare = iter(OTHER_COLORS * math.ceil(len(names) / len(OTHER_COLORS)))
    shown = []
    for name in names:
        steps, values = np.array([(s, row[name]) for s, row in rows if name in row], "float64").T
        color = colors.get(name) or next(spare)
        label = name.replace("_", " ")
        window = max(1, len(values) // 50)
        if window > 1:
            axes.plot(steps, values, color=color, alpha=0.25, linewidth=0.8)
            values_drawn = _moving_average(values, window)
        else:
            values_drawn = values
        marker = "o" if len(values) < 20 else None
        axes.plot(steps, values_drawn, color=color, linewidth=1.6, marker=marker, ms=4, label=label)
        shown.append(values[np.isfinite(values)])
    shown = np.concatenate(shown)
    if len(shown) >= 100:
        low, high = np.percentile(shown, (0.5, 99.5))
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
        axes.set_ylim(low - margin, high + margin)
    axes.grid(True, color="0.9")
    axes.set_axisbelow(True)
    # Above the panel, where it hides no curve.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, borderaxespad=0.2)


def _moving_average(values, window):
    """The mean of the last `window` values at each place; of fewer at the beginning."""
    finite = np.where(np.isfinite(values), values, np.nan)
    sums = np.cumsum(np.nan_to_num(finite))
    counts = np.cumsum(np.isfinite(finite))
    sums[window:] -= sums[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    return np.where(np.isfinite(finite), sums / np.maximum(counts, 1), np.nan)


def _merge(rows):
    """One row in place of several: the last step, and the mean of each value."""
    names = dict.fromkeys(name for _, values in rows for name in values)
    present = {name: [values[name] for _, values in rows if name in values] for name in names}
    return rows[-1][0], {name: sum(values) / len(values) for name, values in present.items()}
