"""Pictures out of samples: conversion to uint8, grids, scatter plots, PNG and GIF files.

Everything here works on numpy arrays. Pillow and matplotlib are imported when a picture is written
or a plot is drawn, so that importing the package stays cheap.
"""

import math

import numpy as np

from keras_gans.checks import check_int
from keras_gans.files import replacing
from keras_gans.picture_files import decode


def to_uint8(images):
    """Turns the [-1, 1] pictures that networks work on into uint8.

    -1 becomes 0 and 1 becomes 255. Values are rounded to the nearest level, not truncated
    (truncation would darken every picture by half a level), and values outside [-1, 1] are clipped.

    Args:
        images: floating-point array or tensor of any shape, in [-1, 1].

    Returns:
        uint8 numpy array of the same shape.

    Raises:
        ValueError: if `images` is not floating-point, or holds NaN.

    Example:

    >>> to_uint8(np.array([-1.0, 0.0, 1.0, 3.0]))
    array([  0, 128, 255, 255], dtype=uint8)
    """
    images = np.asarray(images)
    # bfloat16 is not a np.floating; what counts is that it converts to float32 and is no integer.
    if images.dtype.kind in "iub" or images.dtype.kind not in "fV":
        raise ValueError(
            "`images` must be floating-point values in [-1, 1]. "
            f"Received: an array of dtype {images.dtype}"
        )
    images = images.astype("float32")
    if np.isnan(images).any():
        share = np.isnan(images).mean()
        raise ValueError(
            f"`images` must not hold NaN. Received: an array that is {share:.1%} NaN (samples are "
            "NaN when training has diverged)."
        )
    return np.rint((np.clip(images, -1.0, 1.0) + 1.0) * 127.5).astype("uint8")


def make_grid(images, columns=None, padding=2, background=255):
    """Lays pictures out in rows, left to right and top to bottom.

    The frame between and around the pictures is `padding` pixels wide. Cells of the last row that
    no picture fills have the background colour.

    Args:
        images: uint8 array (num, height, width, channels), with 1 (grey), 2 (grey and alpha),
            3 (RGB) or 4 (RGBA) channels.
        columns: int, pictures in a row. Default: the smallest square that holds all of them.
        padding: int, pixels between pictures and around the grid, 0 or more.
        background: int, level of the frame and of empty cells, in [0, 255].

    Returns:
        uint8 array (rows * (height + padding) + padding, columns * (width + padding) + padding,
        channels).

    Raises:
        ValueError: if a shape, a dtype or a value is not as said above.

    Example:

    ```python
    save_png("grid.png", make_grid(gan.generate(64), columns=8))
    ```
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 2, 3, 4) or 0 in images.shape:
        raise ValueError(
            "`images` must have the shape (num, height, width, channels), with 1 to 4 channels and "
            f"no empty axis. Received: an array of shape {images.shape}"
        )
    if images.dtype != np.uint8:
        raise ValueError(
            "`images` must be uint8 (`to_uint8` converts pictures in [-1, 1]). "
            f"Received: an array of dtype {images.dtype}"
        )
    num, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(num)) if columns is None else check_int("columns", columns, 1)
    check_int("padding", padding, 0)
    check_int("background", background, 0, 255)

    rows = math.ceil(num / columns)
    shape = (rows * (height + padding) + padding, columns * (width + padding) + padding, channels)
    grid = np.full(shape, background, "uint8")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top = padding + row * (height + padding)
        left = padding + column * (width + padding)
        grid[top : top + height, left : left + width] = image
    return grid


def plot_points(points, reals=None, limit=None, size=480, title=None, labels=None):
    """Draws a point set as a picture, on axes that do not move from one picture to the next.

    Two-dimensional points give a scatter plot; of points with more dimensions the first two are
    drawn, and the axes say so. One-dimensional points give a histogram. Points outside the axes are
    counted in the corner: a generator that has run away must not look like an empty plot.

    Args:
        points: float array (num, dim).
        reals: float array (num, dim), the data that the points should look like, drawn in grey
            underneath. Optional.
        limit: float above 0; the axes run from -limit to limit. Default: what shows all of `reals`,
            or 1.2 without them.
        size: int, height and width of the picture in pixels, at least 100.
        title: str, a line above the plot. Optional.
        labels: int array (num,), the classes of points of two dimensions or more, each in a colour
            of its own, of which a legend says the class. Optional.

    Returns:
        uint8 array (size, size, 3).

    Raises:
        ValueError: if `points` or `reals` is not (num, dim), a number is out of its range, or
            `labels` are not one for each of such points.

    Example:

    ```python
    save_png("ring.png", plot_points(gan.generate(1000)))
    ```
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = _check_points("points", points)
    reals = None if reals is None else _check_points("reals", reals)
    if reals is not None and reals.shape[1] != points.shape[1]:
        raise ValueError(
            "`reals` must have as many dimensions as `points`. "
            f"Received: {reals.shape[1]} and {points.shape[1]}"
        )
    if limit is None:
        limit = 1.2 if reals is None else points_limit(reals)
    if not limit > 0:
        raise ValueError(f"`limit` must be above 0. Received: {limit!r}")
    check_int("size", size, 100)

    if labels is not None:
        labels = np.asarray(labels)
        if labels.dtype.kind not in "iu" or labels.shape != points.shape[:1] or len(points.T) < 2:
            raise ValueError(
                "`labels` must be an integer for each of `points`, of two dimensions or more. "
                f"Received: {labels.dtype} of shape {labels.shape} for points {points.shape}"
            )

    figure = Figure(figsize=(size / 100, size / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.11, 0.09, 0.86, 0.86 if title is None else 0.83))
    layers = [(points, "tab:blue")] if reals is None else [(reals, "0.75"), (points, "tab:blue")]
    for layer, color in layers:
        if layer.shape[1] == 1:
            bins = np.linspace(-limit, limit, 61)
            heights, _, _ = axes.hist(layer[:, 0], bins, density=True, color=color, alpha=0.7)
            if layer is reals:
                axes.set_ylim(0, 2 * heights.max())
        else:
            # Fewer points are drawn larger, so that 64 and 10,000 are both readable.
            area = float(np.clip(8000 / len(layer), 3, 30))
            look = {"color": color}
            if layer is points and labels is not None:
                colours = 10 if labels.max() < 10 else 20
                look = {"c": labels % colours, "cmap": f"tab{colours}", "vmin": 0}
                look["vmax"] = colours - 1
            drawn = axes.scatter(layer[:, 0], layer[:, 1], area, alpha=0.6, linewidths=0, **look)
    axes.set_xlim(-limit, limit)
    if points.shape[1] > 1:
        axes.set_ylim(-limit, limit)
    if points.shape[1] > 2:
        axes.set_xlabel(f"dimension 1 of {points.shape[1]}")
        axes.set_ylabel(f"dimension 2 of {points.shape[1]}")
        axes.set_position((0.16, 0.12, 0.81, 0.83 if title is None else 0.8))
    axes.grid(True, color="0.92")
    axes.set_axisbelow(True)
    if labels is not None:
        for label in np.unique(labels):
            axes.scatter([], [], 30, color=drawn.to_rgba(label % colours), label=str(label))
        axes.legend(loc="upper right", fontsize=7, handletextpad=0.1)
    if title is not None:
        axes.set_title(title, fontsize=11)
    # A NaN is outside too: the comparison is written so that it counts.
    outside = len(points) - int((np.abs(points[:, :2]) <= limit).all(axis=1).sum())
    if outside:
        note = f"{outside} of {len(points)} points outside"
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
        axes.text(
            0.02, 0.025, note, transform=axes.transAxes, color="tab:red", fontsize=9, bbox=box
        )
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def plot_curves(sequences, columns=None, size=(160, 96)):
    """Draws sequences as curves over time, each in a panel of its own, on the same axes.

    Args:
        sequences: float array (num, steps, features); each feature is a line of its own colour.
        columns: int, panels in a row. Default: the smallest square that holds all of them.
        size: pair of int, width and height of a panel in pixels.

    Returns:
        uint8 array (height, width, 3).

    Raises:
        ValueError: if `sequences` is no such array.

    Example:

    ```python
    save_png("curves.png", plot_curves(gan.generate(16)))
    ```
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sequences = np.asarray(sequences)
    if sequences.ndim != 3 or 0 in sequences.shape:
        raise ValueError(
            "`sequences` must have the shape (num, steps, features), with no empty axis. "
            f"Received: an array of shape {sequences.shape}"
        )
    num, steps, _ = sequences.shape
    columns = math.ceil(math.sqrt(num)) if columns is None else check_int("columns", columns, 1)
    rows = math.ceil(num / columns)
    figure = Figure(figsize=(columns * size[0] / 100, rows * size[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    finite = sequences[np.isfinite(sequences)]
    low, high = (finite.min(), finite.max()) if finite.size else (-1, 1)
    room = 0.05 * (high - low) or 1.0
    for index, sequence in enumerate(sequences):
        row, column = divmod(index, columns)
        box = (column / columns, 1 - (row + 1) / rows, 0.96 / columns, 0.94 / rows)
        axes = figure.add_axes(box)
        axes.plot(sequence, linewidth=1)
        axes.set(xlim=(0, max(1, steps - 1)), ylim=(low - room, high + room), xticks=[], yticks=[])
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def plot_text(lines, size=16):
    """Draws lines of text, one below the other, in black on white.

    Args:
        lines: list of str, at least one.
        size: int, height of the letters in pixels.

    Returns:
        uint8 array (height, width, 1).
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    lines = [line or " " for line in lines]
    width = math.ceil(max(font.getlength(line) for line in lines)) + size
    step = size + size // 2
    picture = Image.new("L", (width, step * len(lines) + size // 2), 255)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((size // 2, size // 2 + row * step), line, fill=0, font=font)
    return np.asarray(picture)[..., None]


def with_captions(images, texts, size=12, width=96):
    """Pictures with a text under each, in lines as wide as the picture.

    Args:
        images: uint8 array (num, height, width, channels), with 1 or 3 channels.
        texts: list of `num` str.
        size: int, height of the letters in pixels.
        width: int, pictures that are narrower stand in the middle of one of this width.

    Returns:
        uint8 array (num, more height, width, channels).

    Raises:
        ValueError: there are not as many texts as pictures.
    """
    from PIL import ImageFont

    images = np.asarray(images)
    if len(texts) != len(images):
        raise ValueError(f"`texts` must be {len(images)}, one a picture. Received: {len(texts)}")
    margin = max(0, width - images.shape[2])
    sides = (margin // 2, margin - margin // 2)
    images = np.pad(images, ((0, 0), (0, 0), sides, (0, 0)), constant_values=255)
    width, font = images.shape[2], ImageFont.load_default(size)
    lines = [_wrapped(text, width - size, font) for text in texts]
    most = max(map(len, lines))
    strips = [plot_text(each + [""] * (most - len(each)), size)[:, :width] for each in lines]
    strips = [
        np.pad(strip, ((0, 0), (0, width - strip.shape[1]), (0, 0)), constant_values=255)
        for strip in strips
    ]
    strips = np.stack(strips).repeat(images.shape[-1], axis=-1)
    return np.concatenate([images, strips], axis=1)


def _wrapped(text, width, font):
    """The words of a text in lines of at most `width` pixels, where single words allow it."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def points_limit(reals):
    """The `limit` of `plot_points` that shows all of `reals`, (num, dim), with some room."""
    limit = 1.15 * float(np.abs(_check_points("reals", reals)[:, :2]).max())
    return float(f"{limit:.2g}") or 1.0


def enlarge(images, size=64):
    """Pictures (num, height, width, channels) with each pixel repeated, as far as `size` allows."""
    scale = max(1, size // max(1, *images.shape[1:3]))
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


def save_png(path, image):
    """Writes a PNG file; a reader never sees half of it.

    The picture goes to a temporary file in the same directory, which then takes the name `path`.
    Missing directories are made, and a file of that name is replaced.

    Args:
        path: str or path-like, ending in ".png".
        image: uint8 array (height, width) or (height, width, channels) with 1 to 4 channels.

    Raises:
        ValueError: if `path` does not end in ".png", or `image` is not as said above.

    Example:

    ```python
    save_png("samples/grid.png", make_grid(gan.generate(64)))
    ```
    """
    picture = _to_pillow(image)
    with replacing(path, ".png") as temporary:
        picture.save(temporary, "PNG")  # optimize=True takes ten times as long for 1 % of the bytes


def save_animation(path, frames, duration_ms=200):
    """Writes an animated GIF that loops; a reader never sees half of it.

    Args:
        path: str or path-like, ending in ".gif".
        frames: sequence of uint8 arrays of one shape, (height, width) or (height, width, channels).
            Alpha is laid over white.
        duration_ms: int, milliseconds that each frame is shown, or a sequence with one for each
            frame; at least 20. GIF counts in steps of 10 ms.

    Raises:
        ValueError: if there is no frame, shapes differ, or a duration is out of its range.

    Example:

    ```python
    save_animation("samples.gif", frames, duration_ms=[100] * (len(frames) - 1) + [2000])
    ```
    """
    frames = list(frames)
    if not frames:
        raise ValueError("`frames` must hold at least one picture. Received: none")
    shapes = sorted({np.shape(frame) for frame in frames})
    if len(shapes) > 1:
        raise ValueError(f"`frames` must all have the same shape. Received: {shapes}")
    single = np.ndim(duration_ms) == 0
    durations = [duration_ms] * len(frames) if single else list(duration_ms)
    if len(durations) != len(frames):
        raise ValueError(
            "`duration_ms` must be one number, or one for each frame. "
            f"Received: {len(durations)} numbers for {len(frames)} frames"
        )
    for duration in durations:
        check_int("duration_ms", duration, 20)

    pictures = [_to_palette(_to_pillow(frame)) for frame in frames]
    with replacing(path, ".gif") as temporary:
        pictures[0].save(
            temporary,
            "GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=[int(duration) for duration in durations],
            loop=0,
            disposal=1,
        )


def read_png(path):
    """Reads a picture file back as uint8 (height, width, channels); see `save_png`.

    Raises:
        ValueError: it is no picture, or none of a format that is read (`picture_files.FORMATS`).
    """
    return decode(path)


_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def _check_points(name, points):
    points = np.asarray(points)
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"`{name}` must have the shape (num, dim), with no empty axis. "
            f"Received: an array of shape {points.shape}"
        )
    return points.astype("float64")


def _to_pillow(image):
    from PIL import Image

    image = np.asarray(image)
    flat = image.ndim == 2 or (image.ndim == 3 and image.shape[-1] in _MODES.values())
    if not flat or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(
            "`image` must be uint8 of shape (height, width) or (height, width, channels), with 1 "
            f"to 4 channels. Received: dtype {image.dtype}, shape {image.shape}"
        )
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    return Image.fromarray(image)


def _to_palette(picture):
    """The picture with 256 colours of its own, as GIF needs it; grey pictures keep every level."""
    from PIL import Image

    if picture.mode in ("LA", "RGBA"):
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    if picture.mode == "L":
        return picture
    return picture.quantize(256, dither=Image.Dither.NONE)
