"""The presets that go into the wheel, out of `savedmodels/`; the build of the wheel runs this.

Each is a directory of the package's `shipped_presets/`

card.json              the SavedModel's card
training/config.json   the model's settings
training/weights.npz   the weights of its SavedModel (`exported/0`, ...) and those that this lacks
                       (`state/0`, ...)

Nothing is kept twice: weights are read out of the files of `savedmodels/` whenever a wheel is
built, when TensorFlow need not be there. `index.json` beside them has the SHA-256 of every file of
all presets, by which downloads are checked.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np

# One of each kind, below 8 MB together: with classes, with latents, with a critic, grown, with an
# encoder, a translator. `True` has float16 weights: tests/test_shipped_presets.py says whether the
# pictures agree.
PACKAGED = {
    "cgan_fashion_mnist": True,
    "dcgan_fashion_mnist": True,
    "wgan_gp_fashion_mnist": True,
    "progan_noto_emoji": True,
    "vae_noto_skin_tones": True,
    "cyclegan_relief_satellite": True,
}
PARTS = {"exported": "1/variables/variables", "state": "training/state"}
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 9: "<i8", 10: "?", 19: "<f2", 22: "<u4", 23: "<u8"}
is_weight = re.compile(r"weights/(\d+)/\.ATTRIBUTES/VARIABLE_VALUE").fullmatch
FOOTER = 48


def package(source, target, packaged=None):
    """Writes the package's presets and the index of all.

    Args:
        source: path of `savedmodels/`.
        target: directory, which is made; what is in it is replaced.
        packaged: `{name: whether its weights become float16}`; `PACKAGED` when `None`.

    Raises:
        FileNotFoundError: a preset is missing.
    """
    source, target = Path(source), Path(target)
    shutil.rmtree(target, ignore_errors=True)
    for name, half in (PACKAGED if packaged is None else packaged).items():
        (target / name / "training").mkdir(parents=True)
        shutil.copy(source / name / "1/card.json", target / name / "card.json")
        config = Path(name, "training/config.json")
        shutil.copy(source / config, target / config)
        weights = {}
        for part, prefix in PARTS.items():
            for key, values in read_checkpoint(source / name / prefix).items():
                if found := is_weight(key):
                    weights[f"{part}/{found[1]}"] = as_half(values) if half else values
        np.savez_compressed(target / name / "training/weights.npz", **weights)
    names = sorted(path.parents[1].name for path in source.glob("[!.]*/training/config.json"))
    index = {name: hashes(source / name) for name in names}
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def as_half(values):
    return values.astype("<f2") if values.dtype == np.dtype("<f4") else values


def hashes(directory):
    """`{path: SHA-256}` of the files of a preset that `keras_gans.load` and servers read."""
    files = (p for part in ("1", "training") for p in sorted((directory / part).rglob("*")))
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def read_checkpoint(prefix):
    """The arrays of a TensorFlow checkpoint of one shard, without TensorFlow: `{key: array}`.

    The index is a table of LevelDB (tensorflow/core/lib/io/table_format.txt) without compression,
    whose values are `BundleEntryProto` (tensorflow/core/protobuf/tensor_bundle.proto).
    """
    table = Path(f"{prefix}.index").read_bytes()
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    _, _, *handle = _varints(table[-FOOTER:], 4)
    arrays = {}
    for _, block in _entries(table, *handle):
        for key, value in _entries(table, *_varints(block, 2)):
            entry = _fields(value)
            dtype = DTYPES.get(entry.get(1))
            if key and dtype:
                sizes = [_fields(dim).get(1, 0) for dim in _repeated(entry.get(2, b""), 2)]
                part = data[entry.get(4, 0) :][: entry[5]]
                arrays[key.decode()] = np.frombuffer(part, dtype).reshape(sizes)
    return arrays


def _entries(table, offset, size):
    """The pairs (key, value) of a block; keys share their beginnings with the one before."""
    if table[offset + size]:
        raise ValueError("A checkpoint's index must not be compressed.")
    block = table[offset : offset + size]
    end = size - 4 * (1 + int.from_bytes(block[-4:], "little"))
    key, place = b"", 0
    while place < end:
        (shared, rest, length), place = _read_varints(block, place, 3)
        key = key[:shared] + block[place : place + rest]
        place += rest + length
        yield key, block[place - length : place]


def _fields(message):
    """The last value of each field of a protocol buffer: `{number: int or bytes}`."""
    return dict(_all_fields(message))


def _repeated(message, number):
    return [value for field, value in _all_fields(message) if field == number]


def _all_fields(message):
    place = 0
    while place < len(message):
        (tag,), place = _read_varints(message, place, 1)
        kind = tag & 7
        if kind == 0:
            (value,), place = _read_varints(message, place, 1)
        else:
            length = {1: 8, 5: 4}.get(kind)
            if length is None:
                (length,), place = _read_varints(message, place, 1)
            value, place = message[place : place + length], place + length
        yield tag >> 3, value


def _varints(data, num):
    return _read_varints(data, 0, num)[0]


def _read_varints(data, place, num):
    """Some integers of 7 bits a byte, the lowest first, and the place behind them."""
    values = []
    for _ in range(num):
        value, shift = 0, 0
        while True:
            byte, place = data[place], place + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        values.append(value)
    return values, place
