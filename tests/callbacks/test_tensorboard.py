import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.callbacks import TensorBoard, Throughput


def events(directory):
    """(plugin, tag, step, tensor) of every summary, in the order in which they were written."""
    found = []
    for path in sorted(directory.iterdir()):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                found.append((plugin, value.tag, event.step, tf.make_ndarray(value.tensor)))
    return found


def scalars(directory, name="generator_loss"):
    return [(step, float(x)) for _, tag, step, x in events(directory) if tag == name]


def test_scalars_are_means_since_the_last(tmp_path, counting_model, run_fit):
    run_fit(counting_model, TensorBoard(tmp_path, scalars_every_steps=4), epochs=2, steps=5)
    # The loss at step n is n; 5 is the end of an epoch, and means do not reach over it.
    assert scalars(tmp_path) == [(4, 2.5), (5, 5.0), (8, 7.0), (10, 9.5)]
    assert {plugin for plugin, tag, *_ in events(tmp_path) if tag != "samples"} == {"scalars"}


def test_steps_that_run_together(tmp_path, counting_model, run_fit):
    callback = TensorBoard(tmp_path, scalars_every_steps=1)
    run_fit(counting_model, callback, steps=8, steps_per_execution=4)
    assert scalars(tmp_path) == [(4, 2.5), (8, 6.5)]


def test_a_second_fit_goes_on_counting(tmp_path, counting_model, run_fit):
    run_fit(counting_model, TensorBoard(tmp_path), steps=2)
    run_fit(counting_model, TensorBoard(tmp_path), steps=2)
    assert sorted(scalars(tmp_path)) == [(2, 1.5), (4, 3.5)]


def test_throughput_is_written(tmp_path, counting_model, run_fit):
    run_fit(counting_model, Throughput(), TensorBoard(tmp_path))
    assert [step for step, _ in scalars(tmp_path, "images_per_second")] == [4]


def test_images_decode_to_the_samples(tmp_path, make_model, run_fit):
    model = make_model(num_classes=2)
    run_fit(model, TensorBoard(tmp_path, every_epochs=2, num=4, seed=7), epochs=4, steps=1)
    images = [event for event in events(tmp_path) if event[1] == "samples"]
    assert [(plugin, step) for plugin, _, step, _ in images] == [
        ("images", 0),
        ("images", 2),
        ("images", 4),
    ]
    width, height, encoded = images[-1][3]
    picture = np.asarray(Image.open(io.BytesIO(encoded)))
    assert picture.shape == (int(height), int(width)) == (134, 134)
    sample = model.generate(4, seed=7)[3, :, :, 0]
    np.testing.assert_array_equal(picture[68:132:16, 68:132:16], sample)
    assert model.asked[0] == (4, 7, None)


def test_images_by_steps(tmp_path, counting_model, run_fit):
    run_fit(counting_model, TensorBoard(tmp_path, num=4, every_steps=3), epochs=2)
    assert [step for _, tag, step, _ in events(tmp_path) if tag == "samples"] == [0, 3, 6]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"log_dir": ""}, "`log_dir`.*''"),
        ({"every_epochs": -1}, "`every_epochs`.*-1"),
        ({"num": 0}, "`num`.*0"),
        ({"seed": -1}, "`seed`.*-1"),
        ({"scalars_every_steps": 0.5}, "`scalars_every_steps`.*0.5"),
        ({"every_steps": 0}, "`every_steps`.*0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**{"log_dir": "logs", **arguments})
