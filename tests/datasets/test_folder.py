"""Folders of pictures, all made here."""

import concurrent.futures
import errno
import os
import pathlib
import re
import threading
import time
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import EpsImagePlugin, Image

import keras_gans
from keras_gans import datasets, picture_files
from keras_gans.datasets import examples, folder
from keras_gans.images import read_png


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


def means(pixels, height, width):
    """What each of (height, width) pixels covers on average; rows and columns are repeated first,
    where they are not a multiple."""
    wide = pixels.astype(float).repeat(height, axis=0).repeat(width, axis=1)
    return wide.reshape(height, len(pixels), width, pixels.shape[1], -1).mean((1, 3))


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("side", [8, 16, 18, 64])  # as many times 4: 2, 4, 4.5 and 16
def test_box_resampling(tmp_path, in_memory, side, monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    save(tmp_path / "noise.png", pixels)
    if not in_memory:
        monkeypatch.setattr(examples, "MEMORY_BUDGET", 0)
    expected = means(pixels, 4, 4)
    found = uint8(tmp_path, image_size=4, resampling="box")
    assert np.abs(found[0] - expected).max() < 0.51
    assert np.abs(uint8(tmp_path, image_size=4)[0] - expected).max() > 2


def test_box_resampling_of_jpegs_of_transparency_and_of_a_centre(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pixels = np.asarray(Image.open(save(tmp_path / "a.jpg", noise)))  # as Pillow decodes them all
    found = uint8(tmp_path, image_size=4, resampling="box")[0]
    assert np.abs(found - means(pixels, 4, 4)).max() < 0.51

    (tmp_path / "a.jpg").unlink()
    clear = rng.integers(0, 256, (32, 64, 4), dtype=np.uint8)
    save(tmp_path / "a.png", clear)
    colours, alpha = clear[..., :3].astype(float), clear[..., 3:] / 255
    centre = means(colours * alpha + 255 * (1 - alpha), 4, 8)[:, 2:6]
    for channels, expected in ((3, centre), (1, centre @ [[0.299], [0.587], [0.114]])):
        found = uint8(tmp_path, image_size=4, channels=channels, resampling="box")[0]
        assert np.abs(found - expected).max() < 0.51


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
    save(tmp_path / "b.png", np.full((8, 8), 200 * 257, np.uint16))
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "c.png")
    grey = uint8(tmp_path, channels=1)
    assert grey[:2, 0, 0, 0].tolist() == [100, 200]
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
    for argument in ({}, {"image_size": None}):
        with pytest.raises(ValueError, match=r"broken\.png can't be read as a picture"):
            datasets.load(coloured, **kwargs | argument)
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    content = save(coloured / "a" / "broken.png", noise).read_bytes()
    (coloured / "a" / "broken.png").write_bytes(content[: len(content) // 2])
    cut = datasets.load(coloured, **kwargs)
    with pytest.raises(tf.errors.OpError, match=r"broken\.png can't be read"):
        list(cut)


# What is read, and what is said


def said(capsys, folder, **kwargs):
    """The dataset of a folder, and the line on stderr."""
    capsys.readouterr()
    dataset = datasets.load(folder, **kwargs)
    return dataset, capsys.readouterr().err.strip()


def test_formats_are_known_by_their_content(tmp_path, capsys):
    picture = Image.fromarray(plain([255, 0, 0]))
    forms = {"a.tif": "TIFF", "b.jfif": "JPEG", "c": "PNG", "d.dat": "BMP", "e.txt": "PPM"}
    forms |= {"f.tiff": "TIFF", "g.jpg": "WEBP", "h.bin": "GIF", "i.WebP": "WEBP"}
    for name, form in forms.items():
        picture.save(tmp_path / name, form)
    (tmp_path / "readme").write_text("Python, which begins as a PPM file does")
    (tmp_path / "BMW.md").write_text("BMW, which begins as a BMP file does")
    dataset, line = said(capsys, tmp_path, image_size=8)
    assert dataset.info.num_examples == 9
    assert f"{tmp_path}: 9 pictures of 11 files, without classes." in line
    assert "Left out: 2 × no picture of a format that is read (BMW.md, readme)." in line
    assert np.abs(uint8(tmp_path).astype(int) - [255, 0, 0]).max() < 6


@pytest.mark.skipif("AVIF" not in picture_files.formats(), reason="Pillow has no AVIF")
def test_avif(tmp_path):
    Image.fromarray(plain([200, 100, 50])).save(tmp_path / "a", "AVIF")
    assert np.abs(uint8(tmp_path).astype(int) - [200, 100, 50]).max() < 4


def test_postscript_reaches_no_ghostscript(tmp_path, monkeypatch):
    def called(*args, **kwargs):
        raise AssertionError("Ghostscript must not be started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", called)
    save(tmp_path / "a.png", plain([1, 2, 3]))
    Image.fromarray(plain([1, 2, 3])).save(tmp_path / "drawing.eps")
    assert datasets.load(tmp_path, image_size=8).info.num_examples == 1
    (tmp_path / "drawing.eps").rename(tmp_path / "disguised.png")
    for read in (datasets.load, datasets.info):
        with pytest.raises(ValueError, match=r"disguised\.png can't be read as a picture"):
            read(tmp_path, image_size=8)
    for read in (read_png, picture_files.size_of):
        with pytest.raises(ValueError, match=r"disguised\.png can't be read as a picture"):
            read(tmp_path / "disguised.png")


def test_nothing_else_opens_pictures():
    root = pathlib.Path(keras_gans.__file__).parents[1]
    found = [
        path.relative_to(root).as_posix()
        for top in ("keras_gans", "tools", "examples", "benchmarks")
        for path in (root / top).rglob("*.py")
        if re.search(r"Image\.open\(|_pillow\(\)\.open\((?!.*formats=)", path.read_text("utf-8"))
    ]
    assert found == ["keras_gans/picture_files.py"]


def test_links_are_followed_without_looping(tmp_path, capsys):
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "photos"
    save(elsewhere / "1.png", plain([1, 2, 3]))
    save(root / "cats" / "2.png", plain([1, 2, 3]))
    (root / "birds").symlink_to(elsewhere, target_is_directory=True)
    (root / "cats" / "up").symlink_to(root, target_is_directory=True)
    (elsewhere / "round").symlink_to(elsewhere, target_is_directory=True)
    (root / "cats" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (root / "dogs").mkdir()
    dataset, line = said(capsys, root, labels=True)
    assert dataset.info.class_names == ("birds", "cats") and dataset.info.num_examples == 2
    assert f"{root}: 2 pictures of 3 files, in 2 classes (birds, cats)." in line
    assert "2 × a link to a folder that it is in (birds/round, cats/up)" in line
    assert "1 × a link to nothing (cats/gone.png)" in line
    assert "1 × a folder without pictures (dogs)" in line


def test_what_can_not_be_reached_is_left_out(tmp_path, capsys):
    save(tmp_path / "cats" / "1.png", plain([1, 2, 3]))
    for link, target in (("loop", "loop"), ("cats/a.png", "b.png"), ("cats/b.png", "a.png")):
        (tmp_path / link).symlink_to(target)
    (tmp_path / "long").symlink_to("n" * 300)  # no file has so long a name
    dataset, line = said(capsys, tmp_path, labels=True)
    assert dataset.info.num_examples == 1 and dataset.info.class_names == ("cats",)
    assert ": 1 picture of 5 files, in 1 class (cats)." in line
    loops, long = (os.strerror(number) for number in (errno.ELOOP, errno.ENAMETOOLONG))
    assert f"3 × what can't be reached ({loops}) (cats/a.png, cats/b.png, loop)" in line
    assert f"1 × what can't be reached ({long}) (long)" in line


def test_pipes_are_not_opened(tmp_path, capsys):
    save(tmp_path / "a.png", plain([1, 2, 3]))
    os.mkfifo(tmp_path / "b.png")
    assert "no regular file (b.png)" in said(capsys, tmp_path)[1]


def test_what_is_unreadable_is_said_too(coloured, capsys):
    (coloured / "b" / "broken.png").write_bytes(b"no picture at all")
    with pytest.warns(UserWarning, match="1 of 7 pictures"):
        _, line = said(capsys, coloured, on_unreadable="skip", image_size=8)
    assert f"{coloured}: 6 pictures of 8 files, in 2 classes (a, b)." in line
    assert "a picture that can't be read (b/broken.png)" in line


def test_classes_and_files_come_in_natural_order(tmp_path):
    for number in range(12):
        save(tmp_path / str(number) / "a.png", plain([20 * number, 0, 0]))
    for name, red in (("x10", 9), ("x9", 5), ("x1", 1)):
        save(tmp_path / "3" / f"{name}.png", plain([red, 0, 0]))
    dataset = datasets.load(tmp_path, labels=True, shuffle=False, batch_size=15)
    ((pictures, labels),) = dataset
    red = np.rint((pictures[:, 0, 0, 0] + 1) * 127.5)
    assert dataset.info.class_names == tuple(map(str, range(12)))
    assert labels.numpy().tolist() == [0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert red.tolist() == [0, 20, 40, 60, 1, 5, 9, 80, 100, 120, 140, 160, 180, 200, 220]


# More than 8 bits


def save_deep_colours(path, levels):
    tf.io.write_file(str(path), tf.io.encode_png(tf.constant(levels, tf.uint16)))


@pytest.mark.parametrize("budget", [2**32, 100])
def test_twelve_bits_are_noticed_and_spread(tmp_path, monkeypatch, budget):
    monkeypatch.setattr(examples, "MEMORY_BUDGET", budget)
    save(tmp_path / "a.png", np.full((8, 8), 4095, np.uint16))
    save(tmp_path / "b.png", np.full((8, 8), 1000, np.uint16))
    save(tmp_path / "c.png", np.full((8, 8), 100, np.uint8))
    save_deep_colours(tmp_path / "d.png", np.full((8, 8, 3), (4095, 0, 2048)))
    alpha = np.full((8, 8, 4), (1000, 4095, 0, 65535))
    save_deep_colours(tmp_path / "e.png", alpha)
    with pytest.warns(UserWarning, match=r"0 to 4,095 of 65,535, as 12 bits.*\(0, 4095\)"):
        dark = uint8(tmp_path)
    assert dark[:3, 0, 0, 0].tolist() == [16, 4, 100]  # 4095 / 257, 1000 / 257
    assert dark[3, 0, 0].tolist() == [16, 0, 8]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spread = uint8(tmp_path, value_range=(0, 4095))
    assert spread[:3, 0, 0, 0].tolist() == [255, 62, 100]  # 1000 * 255 / 4095 = 62.3
    assert spread[3:, 0, 0].tolist() == [[255, 0, 128], [62, 255, 0]]
    window = uint8(tmp_path, value_range=(1000, 2000))
    assert window[:2, 0, 0, 0].tolist() == [255, 0]


def test_sixteen_bits_that_are_used_are_not_spoken_of(tmp_path):
    save(tmp_path / "a.png", np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grey = uint8(tmp_path, channels=1).reshape(64)
    np.testing.assert_array_equal(grey, np.rint(np.arange(64) * 1000 / 257))


def test_floats_and_signed_numbers_have_a_range_when_it_is_given(tmp_path):
    save(tmp_path / "a.tif", np.full((8, 8), 0.25, np.float32))
    with pytest.raises(ValueError, match=r"a\.tif .*no known range; give `value_range` \(--v"):
        datasets.load(tmp_path)
    assert uint8(tmp_path, value_range=(0, 1))[0, 0, 0].tolist() == [64] * 3
    save(tmp_path / "a.tif", np.full((8, 8), -600, np.int32))  # as of CT, in Hounsfield units
    with pytest.warns(UserWarning, match="from -600 to -600, of which only 0 to 65,535 are kept"):
        assert uint8(tmp_path).max() == 0
    assert uint8(tmp_path, value_range=(-1000, 0))[0, 0, 0].tolist() == [102] * 3


@pytest.mark.parametrize("value_range", [4095, (0,), (0, "a"), (5, 5), (0, float("nan"))])
def test_bad_value_ranges(coloured, value_range):
    with pytest.raises(ValueError, match=r"`value_range` \(--value-range\) must"):
        datasets.load(coloured, value_range=value_range)


def test_only_folders_have_a_value_range():
    with pytest.raises(ValueError, match=r"`value_range` .* must be None but for a folder"):
        datasets.load("ring", value_range=(0, 1))


# Large photographs


def photograph(height, width):
    """Smooth colours, with an edge."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / height * 7 + x / width * k) for k in (3, 5, 9)]
    pixels = 128 + 100 * np.stack(waves, axis=-1)
    pixels[height // 3 :, width // 3 :] *= 0.5
    return np.rint(pixels).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "orientation"), [("a.jpg", 1), ("a.jpg", 6), ("a.png", 1), ("a.png", 8)]
)
def test_large_pictures_are_decoded_at_the_size_needed(tmp_path, monkeypatch, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photograph(607, 805)).save(tmp_path / name, exif=exif, quality=95)
    decoded = []
    convert = folder.convert
    monkeypatch.setattr(folder, "convert", lambda x, *a: decoded.append(x.shape) or convert(x, *a))
    small = folder.decode_to(tmp_path / name, (40, 30), 3)
    assert decoded == []  # it came out as it is wanted
    monkeypatch.setattr(picture_files, "REDUCING_GAP", 10**6)
    exact = folder.decode_to(tmp_path / name, (40, 30), 3)
    assert decoded[0][:2] == ((607, 805) if orientation == 1 else (805, 607))
    assert np.abs(small.astype(int) - exact).mean() < 1


def test_transparent_colours_of_large_pictures_do_not_bleed(tmp_path):
    pixels = plain([0, 255, 0, 0], 320, 320)
    pixels[:, :160] = (255, 0, 0, 255)
    save(tmp_path / "a.png", pixels)
    small = uint8(tmp_path, image_size=8, channels=4)[0]
    visible = small[small[..., 3] > 40]
    assert visible[:, 0].min() > 240 and visible[:, 1].max() < 15


def test_pixels_in_flight_are_bounded(monkeypatch):
    monkeypatch.setattr(picture_files, "PIXELS_IN_FLIGHT", 100)
    budget, held, most, lock = picture_files.Budget(), [], [], threading.Lock()

    def work(pixels):
        with budget(pixels):
            with lock:
                held.append(pixels)
                most.append(sum(held))
            time.sleep(0.001)
            with lock:
                held.remove(pixels)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [40, 40, 40, 500, 10, 90] * 4))
    assert max(total for total in most if total < 500) <= 100
    assert [total for total in most if total >= 500] == [500] * 4


def test_very_many_pixels_have_a_remedy(tmp_path, monkeypatch):
    save(tmp_path / "a.png", plain([1, 2, 3], 30, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(ValueError, match=r"1200 pixels.*KERAS_GANS_MAX_PIXELS.*MAX_IMAGE_PIXELS"):
        datasets.load(tmp_path)
    monkeypatch.setenv("KERAS_GANS_MAX_PIXELS", "1e9")
    with pytest.raises(ValueError, match=r"KERAS_GANS_MAX_PIXELS must be a whole number.*'1e9'"):
        datasets.load(tmp_path)
    monkeypatch.setenv("KERAS_GANS_MAX_PIXELS", "1200")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        assert datasets.load(tmp_path).info.num_examples == 1


def test_files_with_several_pictures_and_raw_files_are_said(tmp_path, capsys, monkeypatch):
    red, blue = (Image.fromarray(plain(colour)) for colour in ([255, 0, 0], [0, 0, 255]))
    red.save(tmp_path / "stack.tif", save_all=True, append_images=[blue, blue])
    red.save(tmp_path / "moving.gif", save_all=True, append_images=[blue])
    red.save(tmp_path / "one.tif", compression="tiff_lzw")
    red.save(tmp_path / "camera.dng", "TIFF")
    dataset, line = said(capsys, tmp_path)
    assert dataset.info.num_examples == 3
    assert "Of 2 × several in a file the first picture is read (moving.gif, stack.tif)." in line
    assert "Left out: 1 × a raw file of a camera (camera.dng)." in line
    assert uint8(tmp_path)[:, 0, 0].tolist() == [[255, 0, 0]] * 3
    monkeypatch.setattr(examples, "MEMORY_BUDGET", 0)  # some are looked at
    assert "Of 2 × several in a file the first picture is read (m" in said(capsys, tmp_path)[1]
    monkeypatch.setattr(folder, "LOOKED_AT", 1)
    line = "Of 1 × several in a file the first picture is read (moving.gif), of 1 files looked at."
    assert line in said(capsys, tmp_path)[1]
