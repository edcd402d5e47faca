import csv
import os

import keras
import numpy as np
import pytest

from keras_gans import AdversarialModel
from keras_gans.callbacks import LossCurves, Throughput
from keras_gans.callbacks.loss_curves import _declared, _moving_average, draw_curves
from keras_gans.images import read_png


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_the_steps_own_values(tmp_path, counting_model, run_fit):
    """The logs are means since the epoch began; the loss at step n is n."""
    run_fit(counting_model, LossCurves(tmp_path / "l.png"), epochs=3, steps=4)
    rows = table(tmp_path / "l.csv")
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    losses = [float(row["generator_loss"]) for row in rows]
    np.testing.assert_allclose(losses, range(1, 13), rtol=1e-4)


def test_steps_that_run_together_are_a_mean(tmp_path, counting_model, run_fit):
    run_fit(counting_model, LossCurves(tmp_path / "l.png"), steps=8, steps_per_execution=4)
    rows = table(tmp_path / "l.csv")
    assert [(int(row["step"]), float(row["generator_loss"])) for row in rows] == [
        (4, 2.5),
        (8, 6.5),
    ]


def test_long_runs_are_thinned_to_means(tmp_path, counting_model, run_fit):
    run_fit(counting_model, LossCurves(tmp_path / "l.png", max_rows=4), steps=11)
    rows = [(int(row["step"]), float(row["generator_loss"])) for row in table(tmp_path / "l.csv")]
    # 4 rows become 2 of two steps each, and these 4 become 2 of four each; 9 to 11 are left over.
    np.testing.assert_allclose(rows, [(4, 2.5), (8, 6.5), (11, 10)], rtol=1e-5)


def test_the_picture(tmp_path, counting_model, run_fit):
    run_fit(counting_model, LossCurves(tmp_path / "new" / "l.png"))
    assert sorted(os.listdir(tmp_path / "new")) == ["l.csv", "l.png"]
    picture = read_png(tmp_path / "new" / "l.png")
    assert picture.shape[1] == 880 and len(np.unique(picture)) > 20


def test_a_continued_run_keeps_the_earlier_rows(tmp_path, counting_model, run_fit):
    run_fit(counting_model, LossCurves(tmp_path / "l.png"), Throughput(), steps=3)
    run_fit(counting_model, LossCurves(tmp_path / "l.png"), steps=3)
    rows = table(tmp_path / "l.csv")
    assert [float(row["generator_loss"]) for row in rows] == [1, 2, 3, 4, 5, 6]


def test_a_new_run_does_not(tmp_path, make_model, run_fit):
    run_fit(make_model(), LossCurves(tmp_path / "l.png"), steps=3)
    run_fit(make_model(), LossCurves(tmp_path / "l.png"), steps=2)
    assert len(table(tmp_path / "l.csv")) == 2


def test_throughput_is_in_the_table_only(tmp_path, counting_model, run_fit):
    run_fit(counting_model, Throughput(), LossCurves(tmp_path / "l.png"))
    rows = table(tmp_path / "l.csv")
    assert rows[0]["images_per_second"] == "" and float(rows[1]["images_per_second"]) > 0


def test_an_interrupted_run_can_be_written(tmp_path, counting_model, run_fit):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    curves = LossCurves(tmp_path / "l.png")
    with pytest.raises(KeyboardInterrupt):
        run_fit(counting_model, curves, Interrupt(), steps=6)
    assert not (tmp_path / "l.csv").exists()
    curves.write()
    assert len(table(tmp_path / "l.csv")) == 3


def test_panels_and_labels():
    values = {"critic_loss": 1.0, "generator_loss": 2.0, "gradient_penalty": 0.1}
    rows = [(step, {**values, "images_per_second": 9.0}) for step in range(1, 4)]
    losses = ["critic_loss", "generator_loss"]
    figure = draw_curves(rows, "WGANGP", losses, {"critic_loss": "tab:red"})
    top, bottom = figure.axes
    assert figure.get_suptitle() == "WGANGP"
    assert (top.get_ylabel(), bottom.get_xlabel()) == ("loss", "step")
    legends = [[text.get_text() for text in axes.get_legend().texts] for axes in figure.axes]
    assert legends == [["critic loss", "generator loss"], ["gradient penalty"]]
    assert [line.get_color() for line in top.get_lines()] == ["tab:red", "tab:green"]


def test_losses_and_colours_are_those_that_the_model_declares():
    """A level's loss is one with no such name, and the judge has its colour by any."""

    class Pyramid(AdversarialModel):
        players = {"forger": ("forger",), "expert": ("expert",)}
        averaged = ()
        judges = ("expert",)
        reported = ("expert_7x7", "hair_loss")
        loss_terms = ("expert_7x7",)

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model = Pyramid(forger=network, expert=network)
    names = [metric.name for metric in model.metrics]
    losses, colors = _declared(model, names)
    assert losses == ["forger_loss", "expert_loss", "expert_7x7"]
    assert colors == {"forger_loss": "tab:blue", "expert_loss": "tab:red"}


def test_losses_of_other_models(counting_model):
    assert _declared(counting_model, ["loss", "generator_loss", "mae"]) == (
        ["loss", "generator_loss"],
        {},
    )


def test_a_spike_or_nan_does_not_flatten_the_curve():
    rows = [(step, {"generator_loss": step % 7}) for step in range(1000)]
    rows[500] = (500, {"generator_loss": 1e6})
    rows[700] = (700, {"generator_loss": float("nan")})
    low, high = draw_curves(rows, "t", ["generator_loss"], {}).axes[0].get_ylim()
    assert -1 < low < 0 and 6 < high < 7


def test_moving_average():
    average = _moving_average(np.array([1.0, 3.0, np.nan, 5.0, 7.0]), 2)
    np.testing.assert_allclose(average, [1, 2, np.nan, 5, 6])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"path": None}, "`path`.*None"),
        ({"path": "a.jpg"}, "`path`.*'.png'.*a.jpg"),
        ({"path": "a.png", "title": 3}, "`title`.*3"),
        ({"path": "a.png", "max_rows": 1}, "`max_rows`.*at least 2.*1"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        LossCurves(**arguments)
