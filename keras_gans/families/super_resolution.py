"""What models that enlarge pictures share."""

import numpy as np
from keras import tree

from keras_gans.checks import check_int
from keras_gans.datasets.downscaled import check_scale, enlarge_bicubic
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.translation import OneWayTranslator, check_as_many, rows_of_grid
from keras_gans.images import to_uint8
from keras_gans.networks import build_srresnet_generator
from keras_gans.networks._parts import check_picture_shape
from keras_gans.training import kinds

OVERLAP = 16


class SuperResolver(OneWayTranslator):
    """A model whose `generator` makes pictures out of such with a part of the height and width.

    The generator takes pictures of any size, or of one. A subclass sets `scale`, by how much height
    and width grow (`scale_of`), and writes `train_step`. Where it learns from pictures of one size
    `high_shape()` says so.
    """

    def high_shape(self):
        """Shape (H, W, C) of the high pictures that it learns from; sides may be `None`."""
        return tuple(self.generator.output_shape[1:])

    def data_spec(self):
        high, scale = self.high_shape(), self.scale
        low = (*(n and n // scale for n in high[:2]), self.generator.input_shape[-1])
        return kinds.Pictures("low", low), kinds.Pictures("high", high)

    def pairs(self, data):
        """The minibatch (low, high) of a step.

        Raises:
            ValueError: high pictures are not `scale` times as large as low ones.
        """
        ((low, high),) = self.minibatches(data, 1)
        sizes = tuple(low.shape[1:3]), tuple(high.shape[1:3])
        if any(self.scale * n != m for n, m in zip(*sizes, strict=True)):
            raise ValueError(
                f"`high` must have {self.scale} times the height and width of `low`, shapes as "
                f"`datasets.downscaled(dataset, {self.scale})` makes them. "
                f"Received: {sizes[1]} beside {sizes[0]}"
            )
        return low, high

    def translate(self, pictures, tile=None, overlap=OVERLAP):
        """Pictures `scale` times as high and wide, by the averaged generator if there is one.

        Args:
            pictures: array (num, H, W, C), uint8, or float32 in [-1, 1]; of a generator for any
                size also a list of arrays (H, W, C) of several sizes.
            tile: int; large pictures are enlarged in tiles of at most this many pixels on a side,
                which takes the memory of one tile. `None` takes them whole.
            overlap: int, at least 0 and less than half of `tile`: pixels around a tile that are
                looked at beside it. The tiles join without any seam where it is as far as a pixel
                looks: 40 in networks of the paper's 16 blocks, 18 in those of 5.

        Returns:
            uint8 array (num, scale H, scale W, C), or a list of arrays (scale H, scale W, C).

        Raises:
            ValueError: the pictures do not fit the generator, or an argument is out of its range.

        Example:

        >>> large = gan.translate(photographs, tile=256)
        """
        if tile is not None:
            check_int("overlap", overlap, 0), check_int("tile", tile, 2 * overlap + 1)
        if isinstance(pictures, list | tuple):
            return [self.translate(np.asarray(each)[None], tile, overlap)[0] for each in pictures]
        network = self.sampler
        low = self.pictures_for(network, pictures)
        if tile is None or max(low.shape[1:3]) <= tile:
            return to_uint8(self.apply_to(low, network))
        if None not in network.input_shape[1:3]:
            raise ValueError(
                "`tile` must be None for a generator of one size. "
                f"Received: {tile}, and a generator of {network.input_shape[1:]}"
            )
        return in_tiles(lambda part: to_uint8(self.apply_to(part, network)), low, tile, overlap)

    def translation_grid(self, low, high):
        """Three rows for `callbacks.SampleGrid`: bicubic enlargements, what is made, what was.

        Args:
            low, high: arrays (num, H, W, C) and (num, scale H, scale W, C), uint8, or float32 in
                [-1, 1].

        Returns:
            uint8 array (3 num, scale H, scale W, C), row after row.
        """
        check_as_many("high", high, "low", low)
        given = self.pictures_for(self.sampler, low, "low")
        wanted = self.data_spec()[1].from_border(high)
        bicubic = enlarge_bicubic(to_uint8(given), self.scale).astype("float32") / 127.5 - 1.0
        return rows_of_grid(bicubic, self.apply_to(given, self.sampler), wanted)


def default_generator(shape, scale, seed, **settings):
    """SRResNet's generator for what is learned from pictures (H, W, C).

    Raises:
        ValueError: `scale` does not divide H and W, or a setting does not fit the network.
    """
    check_picture_shape("image_shape", shape, multiple=1)
    check_scale(scale, shape[:2])
    seed = derive_seed(seed, "generator")
    return build_srresnet_generator(scale, shape[2], seed=seed, **settings)


def scale_of(generator):
    """By how much a generator enlarges both sides of pictures.

    Raises:
        ValueError: not by a whole number of at least 2, or it makes no pictures out of pictures.
    """
    given, made = generator.input_shape, tree.flatten(generator.outputs)[0].shape
    if not isinstance(given, tuple) or len(given) != 4 or len(made) != 4:
        raise ValueError(
            "`generator` must make pictures out of pictures (batch, H, W, C). "
            f"Received: one of {given} to {tuple(made)}"
        )
    sizes = tuple(32 if n is None else n for n in given[1:3])
    large = generator.compute_output_shape((1, *sizes, given[3]))[1:3]
    scales = {m / n for n, m in zip(sizes, large, strict=True)}
    scale = scales.pop()
    if scales or scale < 2 or scale != int(scale):
        raise ValueError(
            "`generator` must enlarge height and width by one whole number of at least 2. "
            f"Received: one that makes {tuple(large)} of {sizes}"
        )
    return int(scale)


def in_tiles(enlarge, pictures, tile, overlap):
    """What a function makes of pictures, part by part.

    All parts have one size. Those at the far edges begin earlier, so that they end with the
    picture: no part sees an edge where the picture has none within `overlap` pixels.

    Args:
        enlarge: function of an array (num, h, w, C) that returns (num, s h, s w, D).
        pictures: array (num, H, W, C).
        tile: int, the longest side of a part.
        overlap: int, pixels on each side of a part that are looked at and not kept.

    Returns:
        Array (num, s H, s W, D).
    """
    whole = None
    for rows in spans(pictures.shape[1], tile, overlap):
        for columns in spans(pictures.shape[2], tile, overlap):
            made = enlarge(pictures[:, slice(*rows.part), slice(*columns.part)])
            scale = made.shape[1] // (rows.part[1] - rows.part[0])
            if whole is None:
                size = (scale * pictures.shape[1], scale * pictures.shape[2])
                whole = np.empty((len(made), *size, made.shape[3]), made.dtype)
            kept, place = zip(*(each.in_made(scale) for each in (rows, columns)), strict=True)
            whole[:, place[0], place[1]] = made[:, kept[0], kept[1]]
    return whole


class Span:
    """A part of a side: what is looked at, [part), and what of it is kept, [kept)."""

    def __init__(self, part, kept):
        self.part, self.kept = part, kept

    def in_made(self, scale):
        """The slices of what is kept in the part's enlargement, and in the whole one."""
        first, (begin, end) = self.part[0], self.kept
        within = slice(scale * (begin - first), scale * (end - first))
        return within, slice(scale * begin, scale * end)


def spans(side, tile, overlap):
    """The parts of a side of some pixels, each of at most `tile`; what they keep covers it once."""
    if side <= tile:
        return [Span((0, side), (0, side))]
    found, done = [], 0
    while done < side:
        first = min(max(0, done - overlap), side - tile)
        end = side if first + tile == side else first + tile - overlap
        found.append(Span((first, first + tile), (done, end)))
        done = end
    return found
