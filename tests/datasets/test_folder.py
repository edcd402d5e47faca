"""Folders of pictures, all made here."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import datasets
from keras_gans.datasets import examples


def save(path, pixels, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path, **kwargs)
    return path


def plain(colour, height=8, width=8):
    return np.full((height, width, len(colour)), colour, np.uint8)


def uint8(folder, **kwargs):
    """All pictures of a folder in natural order, as uint8."""
    batches = datasets.load(folder, shuffle=False, batch_size=3, **kwargs).as_numpy_iterator()
    return np.rint((np.concatenate(list(batches)) + 1) * 127.5).astype(np.uint8)


@pytest.fixture
def coloured(tmp_path):
    """Six pictures in two subfolders, one of them deeper, with suffixes of all kinds."""
    for i, name in enumerate(["b/1.png", "b/2.BMP", "b/x/3.webp", "a/4.PNG", "a/5.gif", "a/6.png"]):
        save(tmp_path / name, plain([40 * i, 0, 255]), **({"lossless": True} if i == 2 else {}))
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    (tmp_path / "a" / ".hidden.png").write_text("not a picture")
    return tmp_path


def test_suffixes_depth_and_order(coloured):
    pictures = uint8(coloured)
    assert pictures.shape == (6, 8, 8, 3)
    assert pictures[:, 0, 0, 0].tolist() == [120, 160, 200, 0, 40, 80]  # sorted by path
    np.testing.assert_array_equal(uint8(str(coloured)), pictures)


def test_jpeg(tmp_path):
    for name in ("a.jpg", "b.JPEG"):
        save(tmp_path / name, plain([200, 100, 50]), quality=95)
    assert np.abs(uint8(tmp_path).astype(int) - [200, 100, 50]).max() < 4


def test_labels_are_the_sorted_subfolders(coloured):
    dataset = datasets.load(coloured, labels=True, batch_size=6)
    (pictures, labels), *_ = dataset
    assert dataset.element_spec[1] == tf.TensorSpec((6,), tf.int32)
    assert dataset.info.class_names == ("a", "b")
    assert dataset.info.num_classes == 2
    red = np.rint((pictures[:, 0, 0, 0] + 1) * 127.5)
    np.testing.assert_array_equal(labels, (red < 120).astype(int))


def test_labels_need_subfolders(coloured):
    save(coloured / "0.png", plain([0, 0, 0]))
    assert datasets.info(coloured).num_classes is None
    with pytest.raises(
        ValueError, match=r"`labels=True` needs .*1 of 7 pictures directly in .*0\.png"
    ):
        datasets.load(coloured, labels=True)


def test_steps_are_those_of_every_set(coloured):
    dataset = datasets.load(coloured, batch_size=4, seed=9)
    assert len(dataset) == 2
    skipped = dataset.from_step(0).skip(3).take(3)
    for batch, also in zip(dataset.from_step(3), skipped, strict=False):
        np.testing.assert_array_equal(batch, also)


def test_sizes_must_be_given_where_they_differ(tmp_path):
    save(tmp_path / "a.png", plain([1, 2, 3], 8, 10))
    save(tmp_path / "b.png", plain([1, 2, 3], 8, 10))
    assert datasets.info(tmp_path).shape == (8, 10, 3)
    save(tmp_path / "c.png", plain([1, 2, 3], 9, 10))
    with pytest.raises(ValueError, match=r"`image_size`.*a\.png is 8x10.*c\.png is 9x10"):
        datasets.load(tmp_path)
    assert uint8(tmp_path, image_size=(4, 6)).shape == (3, 4, 6, 3)


def test_the_shorter_side_is_resized_and_the_centre_cropped(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "wide_turned.png", wide.transpose(1, 0, 2))
    pictures = uint8(tmp_path, image_size=10)
    assert pictures[:, 1:-1, 1:-1].min() > 230  # of the black thirds only the filter's edge is left
    both = uint8(tmp_path, image_size=(10, 30))
    assert both[0, :, :8].max() < 30 and both[0, :, 12:18].min() > 225
    assert both[1].min() > 225 or both[1].mean() > 200  # cropped to the middle of the white third


def test_resizing_is_antialiased(tmp_path):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    save(tmp_path / "stripes.png", stripes)
    assert np.abs(uint8(tmp_path, image_size=16).astype(int) - 127).max() < 12


def test_exif_orientation(tmp_path):
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter: white on top
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert datasets.info(tmp_path).shape == (16, 8, 3)
    picture = uint8(tmp_path)[0]
    assert picture[:7].min() > 240 and picture[9:].max() < 15


def test_transparency(tmp_path):
    save(tmp_path / "a.png", plain([255, 0, 0, 0]))
    save(tmp_path / "b.png", plain([255, 0, 0, 255]))
    save(tmp_path / "c.png", plain([0, 0, 0, 51]))
    palette = Image.fromarray(plain([0, 0, 255])).quantize(2)
    palette.save(tmp_path / "d.png", transparency=0)  # a transparent entry of a palette
    on_white = uint8(tmp_path)[:, 4, 4]
    assert on_white.tolist() == [[255] * 3, [255, 0, 0], [204] * 3, [255] * 3]
    assert uint8(tmp_path, channels=4)[1:3, 4, 4].tolist() == [[255, 0, 0, 255], [0, 0, 0, 51]]
    assert uint8(tmp_path, channels=2)[2, 4, 4].tolist() == [0, 51]
    assert uint8(tmp_path, channels=1)[:3, 4, 4, 0].tolist() == [255, 76, 204]


def test_transparent_colours_do_not_bleed(tmp_path):
    pixels = plain([0, 255, 0, 0], 32, 32)
    pixels[:, :16] = (255, 0, 0, 255)  # opaque red beside transparent green
    save(tmp_path / "a.png", pixels)
    small = uint8(tmp_path, image_size=8, channels=4)[0]
    visible = small[small[..., 3] > 40]
    assert visible[:, 0].min() > 240 and visible[:, 1].max() < 15


def test_grey_and_sixteen_bits(tmp_path):
    save(tmp_path / "a.png", np.full((8, 8), 100, np.uint8))
    save(tmp_path / "b.png", np.full((8, 8), 100 * 257, np.uint16))
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "c.png")
    grey = uint8(tmp_path, channels=1)
    assert grey[:2, 0, 0, 0].tolist() == [100, 100]
    np.testing.assert_array_equal(grey[2, ..., 0], np.eye(8) * 255)
    np.testing.assert_array_equal(uint8(tmp_path), np.repeat(grey, 3, axis=-1))


def test_an_unreadable_file_is_named(coloured):
    content = (coloured / "b" / "1.png").read_bytes()
    (coloured / "b" / "cut.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"cut\.png can't be read as a picture"):
        datasets.load(coloured, image_size=8)


def test_unreadable_files_are_skipped_with_a_warning(coloured):
    (coloured / "b" / "broken.png").write_bytes(b"no picture at all")
    for kwargs in ({}, {"image_size": 8}):
        with pytest.warns(UserWarning, match=r"1 of 7 pictures in .*left out: .*broken\.png"):
            dataset = datasets.load(coloured, labels=True, on_unreadable="skip", **kwargs)
        assert dataset.info.num_examples == 6
        labels = np.concatenate([y for _, y in dataset])
        assert np.bincount(labels).tolist() == [3, 3]


def test_a_folder_of_unreadable_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture at all")
    with pytest.raises(ValueError, match=r"None of the 1 pictures in .*a\.png"):
        datasets.load(tmp_path, on_unreadable="skip")


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"must hold pictures .*which holds none"):
        datasets.load(tmp_path)


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"must be an existing folder.*nowhere"):
        datasets.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"must be an existing folder.*nowhere"):
        datasets.load(str(tmp_path / "nowhere"))


def test_a_folder_has_only_train(coloured):
    with pytest.raises(ValueError, match='`split` must be "train"'):
        datasets.load(coloured, split="test")


def test_folders_too_large_for_memory_are_read_by_batch(coloured, monkeypatch):
    kwargs = {"image_size": 6, "labels": True, "batch_size": 4, "seed": 5}
    in_memory = datasets.load(coloured, **kwargs)
    monkeypatch.setattr(examples, "MEMORY_BUDGET", 100)
    on_disk = datasets.load(coloured, **kwargs)
    assert on_disk.info == in_memory.info
    assert on_disk.element_spec == in_memory.element_spec
    for one, other in zip(in_memory.from_step(2).take(4), on_disk.from_step(2), strict=False):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    (coloured / "a" / "broken.png").write_bytes(b"no picture at all")
    with pytest.warns(UserWarning, match="1 of 7"):
        assert datasets.load(coloured, on_unreadable="skip", **kwargs).info.num_examples == 6
    broken = datasets.load(coloured, **kwargs)
    with pytest.raises(tf.errors.OpError, match=r"broken\.png can't be read"):
        list(broken)
