"""Picture files: how they are found, opened and decoded, the same wherever one is read.

Nothing else in the project opens a picture: what a file is, its content says and not its name, and
Pillow is given the formats that may be read. A PostScript file in disguise thus never reaches
Ghostscript, which Pillow would start.

Large photographs are decoded at about the size that is needed, and only so many at a time that
their pixels fit in `PIXELS_IN_FLIGHT`.
"""

import contextlib
import dataclasses
import functools
import math
import numbers
import os
import re
import threading
from pathlib import Path

import numpy as np
import tensorflow as tf

MOVING = ("GIF", "PNG", "TIFF", "WEBP", "AVIF")  # formats of several pictures a file
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
PIXELS_IN_FLIGHT = 32 * 2**20
"""Pixels that are decoded at once, by all threads; a larger picture is decoded alone."""

REDUCING_GAP = 2
"""A JPEG is decoded at this multiple of the size that is needed, or more. The antialiased resize
that follows hides most of the difference: the `reducing_gap` of Pillow's `thumbnail`."""

AVERAGING_GAP = 3.0
"""The multiple to which pixels that are decoded are averaged, where Pillow sees no difference."""

DIGITS = re.compile(r"(\d+)")
SMALL = 2**18  # pixels up to which a picture is not counted
MAX_PIXELS = "KERAS_GANS_MAX_PIXELS"  # environment variable
DEEP = 65535  # the highest level of 16 bits
ROWS_AT_ONCE = 2**20  # pixels of which levels are computed at once
RAW = {".3fr", ".arw", ".cr2", ".dng", ".erf", ".nef", ".nrw", ".orf", ".pef", ".rw2", ".srw"}
"""Files of cameras that are TIFF by content, with a small preview for a first picture."""

# How a picture is turned upright, by its EXIF orientation.
UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class UnreadableError(ValueError):
    """A file that is no picture, or only a part of one."""


# Which files are pictures


@dataclasses.dataclass(frozen=True)
class Found:
    """What is in a folder.

    Attributes:
        paths: list of Path of pictures, in natural order.
        left_out: list of pairs (Path, str): files and folders that are not read, and why.
        num_files: int, files in the folder but for hidden ones.
    """

    paths: list
    left_out: list
    num_files: int


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was met while pictures were decoded, by any number of threads.

    Attributes:
        levels: list of pairs, the lowest and highest level of each that has more than 8 bits.
        several: list of the paths of files with more than one picture.
    """

    levels: list = dataclasses.field(default_factory=list)
    several: list = dataclasses.field(default_factory=list)


def natural_key(text):
    """A key by which names sort as people count: "2" before "10", "a9" before "a10"."""
    parts = DIGITS.split(text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], text


def _path_key(path):
    """Folder by folder, each name by its `natural_key`, which a separator must not cross."""
    return [natural_key(part) for part in path.split(os.sep)]


def search(root):
    """Finds the pictures below a folder, by content, at any depth.

    Hidden files and folders are passed over. Links to folders are followed; a folder that it is
    already in is not entered again, so that links which lead back up end. What can't be reached,
    such as a link to itself, is left out. A file whose name ends as a picture's does counts as one,
    and is unreadable if it is none.

    Args:
        root: str or path-like, a folder.

    Returns:
        Found.
    """
    paths, left_out = [], []
    num_files = 0
    # Folders to be searched, each with those that it is in, by their identity.
    waiting = [(os.fspath(root), frozenset())]
    while waiting:
        folder, above = waiting.pop()
        try:
            above |= {_identity(os.stat(folder))}
            with os.scandir(folder) as entries:
                entries = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            left_out.append((folder, f"a folder that can't be read ({error.strerror})"))
            continue
        for entry in entries:
            try:
                is_folder = entry.is_dir()
                reason = _why_not_entered(entry, above) if is_folder else _why_not(entry)
            except OSError as error:  # such as links that lead to each other
                is_folder, reason = False, f"what can't be reached ({error.strerror})"
            num_files += not is_folder
            if reason:
                left_out.append((entry.path, reason))
            elif is_folder:
                waiting.append((entry.path, above))
            else:
                paths.append(entry.path)
    begin = len(os.path.join(root, ""))
    paths.sort(key=lambda path: _path_key(path[begin:]))
    left_out.sort(key=lambda pair: _path_key(pair[0][begin:]))
    return Found(
        [Path(path) for path in paths], [(Path(path), why) for path, why in left_out], num_files
    )


def find(root):
    """The paths of all pictures below a folder; see `search`."""
    return search(root).paths


def _identity(stat):
    return stat.st_dev, stat.st_ino


def _why_not_entered(entry, above):
    """Why a folder is not searched, given the identities of those that it is in, or None."""
    if entry.is_symlink() and _identity(entry.stat()) in above:
        return "a link to a folder that it is in"
    return None


def _why_not(entry):
    """Why a file is not read as a picture, or None."""
    if not entry.is_file():  # opening a pipe would wait for someone to write into it
        return "a link to nothing" if entry.is_symlink() else "no regular file"
    _, suffixes = _known()
    suffix = os.path.splitext(entry.name)[1].lower()
    if suffix in suffixes:
        return None
    if suffix in RAW:
        return "a raw file of a camera"
    try:
        is_like_one = _begins_as_one(entry.path)
    except OSError as error:
        return f"a file that can't be read ({error.strerror})"
    if is_like_one:
        try:  # some formats begin with two letters, as any text may
            with open_picture(entry.path):
                return None
        except Exception as error:
            if too_large(error):
                return None  # a picture, whose error is worth its words
    return "no picture of a format that is read"


def _begins_as_one(path):
    """Whether a file's first bytes are those of a picture, as Pillow has it before it goes on."""
    with open(path, "rb", buffering=0) as file:
        head = file.read(16)
    return any(accept(head) is True for accept in _known()[0])


@functools.cache
def formats():
    """Those of `FORMATS` that Pillow has here."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@functools.cache
def _known():
    """Functions of a file's first 16 bytes that say whether it may be a picture, and suffixes."""
    from PIL import Image

    accepts = [Image.OPEN[name][1] for name in formats()]
    endings = Image.registered_extensions()
    suffixes = {suffix for suffix, name in endings.items() if name in formats()}
    return accepts, suffixes


# Opening and decoding


def open_picture(file):
    """Opens a picture; the only place that does. Its pixels are read when they are asked for.

    Args:
        file: str or path-like, or a binary file.

    Returns:
        `PIL.Image.Image`, to be closed or used in `with`.

    Raises:
        Exception: of nearly any kind, where Pillow can't read it or it is of no format in
            `FORMATS`.
    """
    from PIL import Image

    if most := os.environ.get(MAX_PIXELS):
        if not most.isdecimal():
            raise ValueError(f"{MAX_PIXELS} must be a whole number. Received: {most!r}")
        Image.MAX_IMAGE_PIXELS = (int(most) + 1) // 2  # Pillow refuses twice as many, and more
    return Image.open(file, formats=formats())


def too_large(error):
    """Whether an error is Pillow's refusal of a picture of very many pixels."""
    from PIL import Image

    return isinstance(error, Image.DecompressionBombError)


@contextlib.contextmanager
def unreadable_named(path):
    """Turns every exception, for Pillow raises nearly all kinds, into an UnreadableError."""
    try:
        yield
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    remedy = ""
    if too_large(error):
        remedy = (
            f" If you trust the file, set the environment variable {MAX_PIXELS}=1000000000, or "
            "PIL.Image.MAX_IMAGE_PIXELS in Python: it is decoded alone, and takes 4 bytes a pixel "
            "while it is."
        )
    return UnreadableError(f"{path} can't be read as a picture: {error}{remedy}")


def size_of(path):
    """The pair (height, width) of a picture held upright, from the head of its file.

    Raises:
        UnreadableError: with the path in its text.
    """
    with unreadable_named(path), open_picture(path) as image:
        return image.size if _orientation(image) >= 5 else image.size[::-1]


def check_beginnings(paths):
    """Looks at the first bytes of files, which takes a hundredth of the time of decoding them.

    Raises:
        UnreadableError: a file does not begin as a picture; with its path in the text.
    """
    for path in paths:
        try:
            is_like_one = _begins_as_one(path)
        except OSError:
            is_like_one = False
        if not is_like_one:
            size_of(path)  # which says what is wrong


def is_special(path):
    """Whether `decode` may have something to note: more than 8 bits, or several pictures."""
    with unreadable_named(path), open_picture(path) as image:
        deep = image.mode.startswith(("I", "F")) or _has_deep_colours(image)
        return deep or _has_several(image)


def decode(path, size=None, value_range=None, seen=None, then=None):
    """Reads one picture, upright, as uint8 (height, width, 1..4).

    The orientation of EXIF is applied, palettes are resolved, more than 8 bits are scaled to 8, and
    of a moving picture the first frame is taken.

    Args:
        path: str or path-like.
        size: pair of int (height, width), or None. A picture that is much larger comes out resized
            until it just covers this, antialiased, and cropped to it.
        value_range: pair of numbers: the levels of pictures of more than 8 bits that become 0 and
            255. None is all 16 bits.
        seen: `Seen` to add to, or None.
        then: function of the pixels whose result is returned; they count as in flight until then.

    Raises:
        UnreadableError: with the path in its text.
    """
    value_range = check_value_range(value_range)
    try:
        image = open_picture(path)
        full = image.size
        if size and image.format in ("JPEG", "MPO"):
            turned = size[::-1] if _orientation(image) >= 5 else size
            image.draft(None, _needed(image, turned))
    except Exception as error:
        raise _unreadable(path, error) from error
    with image, _counted(image, full):
        try:
            pixels = _pixels(path, image, full, size, value_range, seen or Seen())
            if seen and _has_several(image):
                seen.several.append(path)
        except Exception as error:
            raise _unreadable(path, error) from error
        return then(pixels) if then else pixels


def _counted(image, full):
    """A context in which the pixels of a picture that is about to be decoded are in flight."""
    # A progressive JPEG is held as coefficients, all of it.
    width, height = full if image.info.get("progressive") else image.size
    return in_flight(width * height) if width * height > SMALL else contextlib.nullcontext()


def check_value_range(value_range):
    """Returns `value_range` as a pair of floats or None; ValueError unless low is below high."""
    if value_range is None:
        return None
    is_pair = isinstance(value_range, tuple | list) and len(value_range) == 2
    if not is_pair or not all(
        isinstance(v, numbers.Real) and not isinstance(v, bool) and math.isfinite(v)
        for v in value_range
    ):
        raise ValueError(
            "`value_range` (--value-range) must be a pair of numbers (low, high), such as "
            f"(0, 4095) for 12 bits. Received: {value_range!r}"
        )
    low, high = map(float, value_range)
    if low >= high:
        raise ValueError(
            f"`value_range` (--value-range) must have low below high. Received: {value_range!r}"
        )
    return low, high


def _has_several(image):
    """Whether a file has more pictures; the second one of a JPEG is a preview, or the same."""
    return image.format in MOVING and getattr(image, "n_frames", 1) > 1


def _orientation(image):
    from PIL import ExifTags

    return image.getexif().get(ExifTags.Base.Orientation, 1)


def _needed(image, size):
    """The least (width, height) at which a picture may be decoded, to cover (height, width)."""
    scale = min(1.0, REDUCING_GAP * max(size[0] / image.height, size[1] / image.width))
    return math.ceil(image.width * scale), math.ceil(image.height * scale)


def _smaller(image, full, size):
    """A large picture cropped and resized to (height, width), which others are not here.

    Args:
        image: it, perhaps decoded at a whole fraction of its size.
        full: its (width, height) in the file.
        size: pair of int (height, width).
    """
    from PIL import Image

    target = size[::-1]
    scale = max(new / old for new, old in zip(target, full, strict=True))
    if 2 * REDUCING_GAP * scale > 1 and image.size == full:
        return image
    covering = [max(new, round(old * scale)) for new, old in zip(target, full, strict=True)]
    fraction = round(full[0] / image.width)
    box = []
    for old, new, kept in zip(full, covering, target, strict=True):
        start = (new - kept) // 2
        box.append([old / fraction * place / new for place in (start, start + kept)])
    (left, right), (top, bottom) = box
    return image.resize(
        target, Image.Resampling.LANCZOS, (left, top, right, bottom), reducing_gap=AVERAGING_GAP
    )


def _has_deep_colours(image):
    """Whether colours (or grey and alpha) have 16 bits in the file, of which Pillow keeps 8."""
    if image.format not in ("PNG", "TIFF") or image.mode not in ("LA", "RGB", "RGBA"):
        return False
    return bool(image.tile) and ";16" in str(image.tile[0][3])


def _pixels(path, image, full, size, value_range, seen):
    from PIL import Image

    deep_colours = _has_deep_colours(image)  # before they are read
    orientation = _orientation(image)
    if deep_colours and image.format == "PNG":
        image = Image.fromarray(_deep_colours(path, value_range, seen))
    elif image.mode.startswith(("I", "F")):
        grey = np.asarray(image)
        if image.mode == "F":
            if value_range is None:
                raise ValueError(
                    "floating point pictures have no known range; give `value_range` "
                    "(--value-range)"
                )
            if not np.isfinite(grey).all():
                raise ValueError("floating point pictures must be finite")
        _note(grey, seen)
        image = Image.fromarray(_to_bytes(grey, value_range))
    elif deep_colours:
        if value_range is not None:
            raise ValueError(
                "colours of 16 bits in a TIFF file have all of their range; for `value_range` "
                "(--value-range) they must be in a PNG file"
            )
        colours = np.asarray(image.getchannel(0) if image.mode == "LA" else image.convert("RGB"))
        _note(colours.astype(np.uint16) * 257, seen)
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("PA", "La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    elif "transparency" in image.info:
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    if size and size != image.size[::-1]:
        image = _smaller(image, full, size[::-1] if orientation >= 5 else size)
    if orientation != 1 and orientation in UPRIGHT:
        image = image.transpose(Image.Transpose[UPRIGHT[orientation]])
    pixels = np.array(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _deep_colours(path, value_range, seen):
    """The colours of a PNG file of 16 bits as uint8 (height, width, 2..4)."""
    with tf.device("CPU:0"):
        content = tf.io.decode_png(Path(path).read_bytes(), dtype=tf.uint16).numpy()
    alpha = content.shape[-1] in (2, 4)
    colours = content[..., :-1] if alpha else content
    _note(colours, seen)
    colours = _to_bytes(colours, value_range)
    if not alpha:
        return colours
    return np.concatenate([colours, _to_bytes(content[..., -1:], None)], axis=-1)


def _note(values, seen):
    seen.levels.append((float(values.min()), float(values.max())))


def _to_bytes(values, value_range):
    """Numbers as uint8, of which low becomes 0 and high 255."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return _table(value_range or (0, DEEP))[values]
    result = np.empty(values.shape, np.uint8)
    step = max(1, ROWS_AT_ONCE // max(1, values[0].size))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        result[rows] = _scaled(values[rows], *(value_range or (0, DEEP)))
    return result


@functools.lru_cache(8)
def _table(value_range):
    """The byte of each level of 16 bits."""
    return _scaled(np.arange(DEEP + 1), *value_range)


def _scaled(values, low, high):
    levels = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.rint(levels).clip(0, 255).astype(np.uint8)


# Memory


class Budget:
    """A number of pixels that threads share; one that wants more than all of it gets it alone."""

    def __init__(self):
        self._used, self._changed = 0, threading.Condition()

    @contextlib.contextmanager
    def __call__(self, pixels):
        """Waits until as many pixels are free, and holds them."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._used or self._used + pixels <= PIXELS_IN_FLIGHT
            )
            self._used += pixels
        try:
            yield
        finally:
            with self._changed:
                self._used -= pixels
                self._changed.notify_all()


in_flight = Budget()
