"""Pictures against values worked out by hand."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from keras_gans.images import (
    make_grid,
    plot_points,
    points_limit,
    read_png,
    save_animation,
    save_png,
    to_uint8,
)
from keras_gans.training.kinds import render


def test_to_uint8_rounds_and_clips():
    # (x + 1) * 127.5: 0 -> 127.5 rounds to the even 128; 0.02 -> 130.05; -0.005 -> 126.86.
    given = np.array([-7.0, -1.0, -0.005, 0.0, 0.02, 1.0, 1.5], "float32")
    result = to_uint8(given)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, [0, 0, 127, 128, 130, 255, 255])


def test_to_uint8_takes_every_level_back():
    levels = np.arange(256)
    np.testing.assert_array_equal(to_uint8((levels / 127.5 - 1).astype("float32")), levels)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_to_uint8_takes_other_floats(dtype):
    import tensorflow as tf

    np.testing.assert_array_equal(to_uint8(tf.constant([-1, 1], dtype)), [0, 255])


def test_to_uint8_rejects_integers_and_nan():
    with pytest.raises(ValueError, match=r"floating-point.*uint8"):
        to_uint8(np.zeros((2, 2), "uint8"))
    with pytest.raises(ValueError, match=r"NaN.*25.0%"):
        to_uint8(np.array([0.0, 1.0, np.nan, 0.5]))


def test_grid_by_hand():
    images = np.arange(1, 4, dtype="uint8").reshape(3, 1, 1, 1) * np.ones((1, 1, 2, 1), "uint8")
    expected = [
        [9, 9, 9, 9, 9, 9, 9],
        [9, 1, 1, 9, 2, 2, 9],
        [9, 9, 9, 9, 9, 9, 9],
        [9, 3, 3, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9, 9],
    ]
    grid = make_grid(images, columns=2, padding=1, background=9)
    np.testing.assert_array_equal(grid[..., 0], expected)
    assert grid.dtype == np.uint8


def test_grid_of_pixels_without_padding_keeps_pixel_order():
    images = np.arange(2 * 2 * 2 * 3, dtype="uint8").reshape(2, 2, 2, 3)
    grid = make_grid(images, columns=2, padding=0)
    np.testing.assert_array_equal(grid, np.concatenate([images[0], images[1]], axis=1))


@pytest.mark.parametrize("num, shape", [(1, (8, 9)), (4, (14, 16)), (5, (14, 23)), (64, (50, 58))])
def test_grid_is_square_by_default(num, shape):
    assert make_grid(np.zeros((num, 4, 5, 3), "uint8")).shape == (*shape, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grid_keeps_channels(channels):
    assert make_grid(np.zeros((2, 4, 4, channels), "uint8")).shape[-1] == channels


@pytest.mark.parametrize(
    "images, arguments, message",
    [
        (np.zeros((4, 4, 3), "uint8"), {}, r"`images`.*\(4, 4, 3\)"),
        (np.zeros((1, 4, 4, 5), "uint8"), {}, r"`images`.*\(1, 4, 4, 5\)"),
        (np.zeros((0, 4, 4, 3), "uint8"), {}, "no empty axis"),
        (np.zeros((1, 4, 4, 3), "float32"), {}, "to_uint8.*float32"),
        (np.zeros((1, 4, 4, 3), "uint8"), {"columns": 0}, "`columns`.*at least 1.*0"),
        (np.zeros((1, 4, 4, 3), "uint8"), {"columns": 2.0}, "`columns`.*2.0"),
        (np.zeros((1, 4, 4, 3), "uint8"), {"padding": -1}, "`padding`.*-1"),
        (np.zeros((1, 4, 4, 3), "uint8"), {"background": 256}, r"`background`.*\[0, 255\].*256"),
    ],
)
def test_grid_errors(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_grid(images, **arguments)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_reads_back(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype="uint8")
    path = tmp_path / "new" / "directory" / "a.png"
    save_png(path, image)
    np.testing.assert_array_equal(read_png(path), image)
    assert os.listdir(path.parent) == ["a.png"]


def test_png_has_the_usual_file_mode(tmp_path):
    save_png(tmp_path / "a.png", np.zeros((2, 2), "uint8"))
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_png_errors(tmp_path):
    with pytest.raises(ValueError, match=r"'.png'.*a.jpg"):
        save_png(tmp_path / "a.jpg", np.zeros((2, 2), "uint8"))
    with pytest.raises(ValueError, match=r"`image`.*float64"):
        save_png(tmp_path / "a.png", np.zeros((2, 2)))
    (tmp_path / "b.png").mkdir()
    with pytest.raises(IsADirectoryError, match=r"b.png"):
        save_png(tmp_path / "b.png", np.zeros((2, 2), "uint8"))
    assert os.listdir(tmp_path) == ["b.png"]


def test_animation_has_the_frames_and_durations(tmp_path):
    frames = [np.full((6, 8, 3), level, "uint8") for level in (0, 100, 200)]
    save_animation(tmp_path / "a.gif", frames, [50, 50, 1000])
    with Image.open(tmp_path / "a.gif") as gif:
        seen = []
        for index in range(gif.n_frames):
            gif.seek(index)
            seen.append((gif.info["duration"], gif.convert("RGB").getpixel((3, 3))[0]))
        assert gif.info["loop"] == 0
    assert seen == [(50, 0), (50, 100), (1000, 200)]


def test_animation_lays_alpha_over_white(tmp_path):
    frame = np.zeros((4, 4, 4), "uint8")
    frame[:2, :, 3] = 255
    save_animation(tmp_path / "a.gif", [frame])
    with Image.open(tmp_path / "a.gif") as gif:
        colors = np.asarray(gif.convert("RGB"))
    assert colors[0, 0].tolist() == [0, 0, 0] and colors[3, 0].tolist() == [255, 255, 255]


def test_animation_errors(tmp_path):
    frame = np.zeros((4, 4), "uint8")
    with pytest.raises(ValueError, match="at least one"):
        save_animation(tmp_path / "a.gif", [])
    with pytest.raises(ValueError, match="same shape"):
        save_animation(tmp_path / "a.gif", [frame, np.zeros((4, 5), "uint8")])
    with pytest.raises(ValueError, match="2 numbers for 1 frames"):
        save_animation(tmp_path / "a.gif", [frame], [100, 100])
    with pytest.raises(ValueError, match=r"`duration_ms`.*20.*5"):
        save_animation(tmp_path / "a.gif", [frame], 5)
    assert os.listdir(tmp_path) == []


def test_points_do_not_move_the_axes():
    """A point is drawn at the same place whatever other points there are."""
    one = plot_points([[0.5, 0.5]])
    two = plot_points([[0.5, 0.5], [-1.1, -1.1]])
    assert one.shape == (480, 480, 3) and one.dtype == np.uint8
    changed = np.argwhere((one != two).any(axis=-1))
    # Only the lower left corner, where the second point is.
    assert len(changed) and (changed[:, 0] > 400).all() and (changed[:, 1] < 120).all()


def test_points_outside_are_counted():
    inside = plot_points([[0.0, 0.0], [0.1, 0.0]])
    outside = plot_points([[0.0, 0.0], [np.nan, 0.0]])
    reddish = (outside[..., 0] > 180) & (outside[..., 1] < 100)
    assert reddish.any()
    assert not ((inside[..., 0] > 180) & (inside[..., 1] < 100)).any()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_of_any_dimension(dim):
    points = np.random.default_rng(0).normal(0, 0.4, (50, dim))
    assert plot_points(points, reals=points, size=200, title="t").shape == (200, 200, 3)


def test_classes_have_colours():
    """Two points of classes 0 and 1 in tab10's blue and orange, in the plot and in the legend."""
    points = np.array([[-0.5, 0.0], [0.5, 0.0]])
    picture = plot_points(points, labels=[0, 1], size=200).astype(int)

    blue, orange = (31, 119, 180), (255, 127, 14)
    mixed = [[round(0.6 * c + 0.4 * 255) for c in colour] for colour in (blue, orange)]
    left, right = picture[60:140, :110], picture[60:140, 110:]
    for part, own, other in ((left, *mixed), (right, *mixed[::-1])):
        distance = [np.abs(part - colour).sum(axis=-1).min() for colour in (own, other)]
        assert distance[0] < 30 < distance[1]
    with pytest.raises(ValueError, match=r"`labels` must be an integer for each.*\(3,\)"):
        plot_points(points, labels=[0, 1, 2])
    with pytest.raises(ValueError, match=r"`labels`.*two dimensions.*\(2, 1\)"):
        plot_points(points[:, :1], labels=[0, 1])


def test_real_points_set_the_axes():
    reals = np.array([[3.0, 0.0], [0.0, -4.0]])
    assert points_limit(reals) == 4.6
    points = np.array([[4.5, 0.0]])
    with_reals = plot_points(points, reals=reals)
    assert (with_reals != plot_points(points, reals=reals, limit=9)).any()
    np.testing.assert_array_equal(with_reals, plot_points(points, reals=reals, limit=4.6))
    assert points_limit(np.zeros((3, 2))) == 1.0


def test_points_errors():
    with pytest.raises(ValueError, match=r"`points`.*\(3,\)"):
        plot_points(np.zeros(3))
    with pytest.raises(ValueError, match=r"`reals`.*3 and 2"):
        plot_points(np.zeros((4, 2)), reals=np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"`limit`.*-1"):
        plot_points(np.zeros((4, 2)), limit=-1)
    with pytest.raises(ValueError, match=r"`size`.*at least 100.*10"):
        plot_points(np.zeros((4, 2)), size=10)


def test_render_enlarges_small_pictures():
    pictures = np.arange(6, dtype="uint8").reshape(1, 2, 3, 1)
    grid = render(pictures)[..., 0]
    assert grid.shape == (2 * 21 + 4, 3 * 21 + 4)  # 21 is the most for 3 pixels within 64
    np.testing.assert_array_equal(grid[2:-2:21, 2:-2:21], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(grid[22:-2:21, 22:-2:21], [[0, 1, 2], [3, 4, 5]])
    assert render(np.zeros((1, 28, 28, 1), "uint8")).shape == (60, 60, 1)


def test_render_tells_pictures_from_points():
    pictures = np.zeros((4, 64, 48, 1), "uint8")
    np.testing.assert_array_equal(render(pictures, columns=4), make_grid(pictures, columns=4))
    assert render(np.zeros((4, 2), "float32")).shape == (480, 480, 3)
    with pytest.raises(ValueError, match=r"Received: examples of shape \(\)"):
        render(np.zeros(4))


def test_png_is_written_as_fast_as_pillow_does(tmp_path):
    """With `optimize=True` a grid takes ten times as long, for 1 % of its bytes."""
    image = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    save_png(tmp_path / "a.png", image)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    assert (tmp_path / "a.png").read_bytes() == file.getvalue()
