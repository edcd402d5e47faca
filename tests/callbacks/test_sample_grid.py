import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.callbacks import SampleGrid, sample_grid
from keras_gans.images import enlarge, make_grid, read_png


def frames(path):
    with Image.open(path) as gif:
        found = []
        for index in range(gif.n_frames):
            gif.seek(index)
            found.append((np.asarray(gif.convert("RGB")), gif.info["duration"]))
    return found


def test_files_of_epochs(tmp_path, counting_model, run_fit):
    run_fit(counting_model, SampleGrid(tmp_path / "s", every_epochs=2), epochs=5)
    names = ["epoch_0000.png", "epoch_0002.png", "epoch_0004.png", "epoch_0005.png", "samples.gif"]
    assert sorted(os.listdir(tmp_path / "s")) == names
    assert counting_model.asked == [(64, 0, None)] * 4
    shown = frames(tmp_path / "s" / "samples.gif")
    assert [duration for _, duration in shown] == [120, 120, 120, 2000]
    for name, (frame, _) in zip(names, shown, strict=False):
        np.testing.assert_array_equal(frame[..., :1], read_png(tmp_path / "s" / name))


def test_files_of_steps(tmp_path, counting_model, run_fit):
    run_fit(counting_model, SampleGrid(tmp_path, every_steps=3), epochs=2, steps=4)
    names = [f"step_{step:06d}.png" for step in (0, 3, 6, 8)]
    assert sorted(os.listdir(tmp_path)) == ["samples.gif", *names]


def test_steps_that_run_together(tmp_path, counting_model, run_fit):
    callback = SampleGrid(tmp_path, every_steps=3, animation=False)
    run_fit(counting_model, callback, steps=8, steps_per_execution=4)
    # Step 3 is due within steps 1 to 4, step 6 within 5 to 8: written when the call ends.
    assert sorted(os.listdir(tmp_path)) == [f"step_{step:06d}.png" for step in (0, 4, 8)]


def test_a_continued_run_goes_on(tmp_path, counting_model, run_fit):
    run_fit(counting_model, SampleGrid(tmp_path), epochs=2)
    first = (tmp_path / "epoch_0000.png").read_bytes()
    run_fit(counting_model, SampleGrid(tmp_path), epochs=3, initial_epoch=2)
    assert sorted(os.listdir(tmp_path))[:-1] == [f"epoch_{epoch:04d}.png" for epoch in range(4)]
    assert (tmp_path / "epoch_0000.png").read_bytes() == first
    assert len(frames(tmp_path / "samples.gif")) == 4


def test_a_new_run_does_not_animate_an_old_one(tmp_path, make_model, run_fit):
    run_fit(make_model(), SampleGrid(tmp_path), epochs=4)
    run_fit(make_model(), SampleGrid(tmp_path), epochs=1)
    assert len(frames(tmp_path / "samples.gif")) == 2


def test_a_long_run_has_a_bounded_animation(tmp_path, counting_model, run_fit, monkeypatch):
    monkeypatch.setattr(sample_grid, "MAX_FRAMES", 4)
    run_fit(counting_model, SampleGrid(tmp_path, num=4), epochs=9, steps=1)
    shown = frames(tmp_path / "samples.gif")
    for epoch, (frame, _) in zip((0, 3, 6, 9), shown, strict=True):
        expected = read_png(tmp_path / f"epoch_{epoch:04d}.png")
        np.testing.assert_array_equal(frame[..., :1], expected)


def test_videos_are_as_many_as_can_be_seen(tmp_path, make_model, run_fit):
    """A row of frames for each, and all of them in motion: each frame is what was generated."""
    model = make_model((5, 8, 8, 1))
    run_fit(model, SampleGrid(tmp_path))
    assert read_png(tmp_path / "epoch_0001.png").shape == (16 * 66 + 2, 5 * 66 + 2, 1)
    shown = frames(tmp_path / "videos.gif")
    videos = model.generate(16, seed=0)
    assert len(shown) == 5 and [duration for _, duration in shown] == [120] * 5
    for time, (frame, _) in enumerate(shown):
        expected = make_grid(enlarge(videos[:, time]), columns=4)
        np.testing.assert_array_equal(frame[..., :1], expected)


def test_large_pictures_make_a_smaller_animation(tmp_path, counting_model, run_fit, monkeypatch):
    monkeypatch.setattr(sample_grid, "MAX_SIDE", 10)
    run_fit(counting_model, SampleGrid(tmp_path, num=6, columns=3))
    assert read_png(tmp_path / "epoch_0001.png").shape == (134, 200, 1)
    assert frames(tmp_path / "samples.gif")[0][0].shape == (7, 10, 3)


def test_one_column_for_each_class(tmp_path, make_model, run_fit):
    model = make_model(num_classes=5)
    run_fit(model, SampleGrid(tmp_path, num=20))
    assert read_png(tmp_path / "epoch_0001.png").shape == (4 * 66 + 2, 5 * 66 + 2, 1)


def test_given_labels(tmp_path, make_model, run_fit):
    model = make_model(num_classes=5)
    run_fit(model, SampleGrid(tmp_path, labels=[3, 3, 1], columns=3))
    num, _, labels = model.asked[0]
    assert num == 3 and labels.tolist() == [3, 3, 1]
    assert read_png(tmp_path / "epoch_0001.png").shape == (68, 200, 1)


def test_samples_of_a_function(tmp_path, make_model, run_fit):
    """The grid shows what `samples` makes of the model, in rows of `columns`."""
    model, pictures = make_model(), np.zeros((6, 64, 64, 3), "uint8")
    seen = []
    grid = SampleGrid(tmp_path, columns=3, samples=lambda m: seen.append(m) or pictures)
    run_fit(model, grid)
    assert seen == [model, model] and model.asked == []
    assert read_png(tmp_path / "epoch_0001.png").shape == (2 * 66 + 2, 3 * 66 + 2, 3)
    with pytest.raises(ValueError, match="`samples` must be a function"):
        SampleGrid(tmp_path, samples=pictures)


def test_points_are_plotted(tmp_path, make_model, run_fit):
    model = make_model(sample_shape=(2,))
    run_fit(model, SampleGrid(tmp_path))
    assert model.asked[0] == (1000, 0, None)
    assert read_png(tmp_path / "epoch_0001.png").shape == (480, 480, 3)


def test_real_points_are_drawn_beneath(tmp_path, make_model, run_fit):
    reals = np.array([[5.0, 5.0], [-5.0, -5.0]])
    run_fit(make_model(sample_shape=(2,)), SampleGrid(tmp_path, reals=reals))
    picture = read_png(tmp_path / "epoch_0001.png").astype(int)
    grey = (picture.max(axis=-1) - picture.min(axis=-1) < 8) & (abs(picture[..., 0] - 200) < 20)
    assert grey[25:120, 360:450].any() and grey[360:430, 60:160].any()


def test_no_animation_when_told(tmp_path, counting_model, run_fit):
    run_fit(counting_model, SampleGrid(tmp_path, animation=False))
    assert not (tmp_path / "samples.gif").exists()


@pytest.mark.parametrize(
    "task, jobs, writes",
    [
        (("worker", 0), {"worker"}, True),
        (("worker", 1), {"worker"}, False),
        (("worker", 0), {"chief", "worker"}, False),
        (("chief", 0), {"chief", "worker"}, True),
        ((None, None), set(), True),
    ],
)
def test_only_the_chief_writes(tmp_path, counting_model, monkeypatch, task, jobs, writes):
    class Resolver:
        task_type, task_id = task

        def cluster_spec(self):
            return tf.train.ClusterSpec({job: ["localhost:1", "localhost:2"] for job in jobs})

    class Strategy:
        cluster_resolver = Resolver()

    monkeypatch.setattr(type(counting_model), "distribute_strategy", Strategy(), raising=False)
    callback = SampleGrid(tmp_path / "s")
    callback.set_model(counting_model)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    callback.on_train_end()
    assert (tmp_path / "s").exists() == writes
    assert bool(counting_model.asked) == writes


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"directory": ""}, "`directory`.*''"),
        ({"every_epochs": 0}, "`every_epochs`.*at least 1.*0"),
        ({"num": 1.5}, "`num`.*1.5"),
        ({"columns": 0}, "`columns`.*at least 1.*0"),
        ({"seed": None}, "`seed`.*None"),
        ({"labels": [0.5]}, "`labels`.*integers.*0.5"),
        ({"labels": [1, 2], "num": 3}, "`labels`.*3 entries.*2"),
        ({"every_steps": True}, "`every_steps`.*True"),
        ({"reals": [1.0, 2.0]}, r"`reals`.*\(2,\)"),
        ({"animation": "gif"}, "`animation`.*gif"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        SampleGrid(**{"directory": "samples", **arguments})
