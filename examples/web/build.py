"""Builds the page that runs trained models in the browser, into `examples/web/dist`.

    python examples/web/build.py            # builds
    python examples/web/build.py --serve    # builds, and serves the page on this computer

The page is static: `dist` can be put on any web server. It holds the page, the runtime (LiteRT.js
for WASM, which npm fetches as package-lock.json says) and of each model its `.tflite` files, a
thumbnail and what the page says of it, read from its card. Models are directories such as
`savedmodels/dcgan_fashion_mnist`:

    1/card.json                         of the newest version, see `keras_gans.export.savedmodel`
    model.tflite                        see `keras_gans.export.tflite`; model_<direction>.tflite too
    grid.png                            samples, for the thumbnail
    inputs/a_0.png ..., inputs/b_0.png  pictures to begin with, of A and B of one with `a_to_b`
    inputs/images_0.png ...             of others, by the name of the input; without them it is what
                                        the grid shows, as far as that is of the input's size

The page has a control for each input of what a model can be asked for, as its card describes it
(`keras_gans.training.kinds`): a kind of data with a `control` of its own needs that one in
inputs.js, and one with a `view` that one in views.js. A model that first of all makes pictures out
of pictures has the page of translators, with a direction for each port that does so.
"""

import argparse
import functools
import http.server
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from keras_gans.picture_files import open_picture

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "savedmodels"
MANIFEST = "models.json"
PAGE = (
    "index.html",
    "style.css",
    "icon.svg",
    "app.js",
    "controls.js",
    "inputs.js",
    "views.js",
    "sampler.js",
    "translator.js",
    "asker.js",
    "latents.js",
    "pictures.js",
    "runtime.js",
)
# Other builds of the runtime are for GPUs, for threads and for relaxed SIMD; see runtime.js.
RUNTIME = {
    "core/dist/index.js": "index.js",
    "wasm-utils/dist/bundle.js": "wasm-utils.js",
    "core/wasm/litert_wasm_compat_internal.js": "litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm": "litert_wasm_compat_internal.wasm",
}
PACKAGES = ("core", "wasm-utils")
KEPT = (
    "model",
    "title",
    "authors",
    "year",
    "arxiv",
    "num_examples",
    "num_classes",
    "dataset_license",
    "latents",
)
# Data by what cards say of them: what the page calls them, and where they come from.
DATA = {
    "fashion_mnist_10k": ("Fashion-MNIST", "https://github.com/zalandoresearch/fashion-mnist"),
    "mnist_5k": ("MNIST", "https://yann.lecun.com/exdb/mnist/"),
    "fashion_mnist_10k_edges": (
        "Fashion-MNIST edges",
        "https://github.com/zalandoresearch/fashion-mnist",
    ),
    "noto_emoji": ("Noto emoji", "https://github.com/googlefonts/noto-emoji"),
    "noto_skin_tones": ("Noto skin tones", "https://github.com/googlefonts/noto-emoji"),
    "Noto emoji": ("Noto emoji", "https://github.com/googlefonts/noto-emoji"),
    "OpenMoji": ("OpenMoji", "https://openmoji.org"),
    "shaded relief of Natural Earth": ("Natural Earth", "https://www.naturalearthdata.com"),
    "Blue Marble of NASA": ("Blue Marble", "https://visibleearth.nasa.gov"),
}
THUMBNAIL = 2  # pictures of the grid on a side of it
INPUTS = 8  # pictures of the grid that can be given to a model
THUMBNAIL_SIDE = 128  # pixels, of drawings of what is no picture


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="default: savedmodels")
    parser.add_argument("--out", type=Path, default=HERE / "dist", help="default: beside this file")
    parser.add_argument("--serve", action="store_true", help="serve the page on 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="of --serve; default: 8000")
    given = parser.parse_args(arguments)
    try:
        entries = build(given.models, given.out)
        size = sum(path.stat().st_size for path in given.out.rglob("*") if path.is_file())
        print(f"{given.out}: {len(entries)} models, {size / 1e6:.1f} MB")
        if given.serve:
            serve(given.out, given.port)
    except (OSError, ValueError) as error:
        sys.exit(f"Error: {error}")


def build(models, out, packages=None):
    """Writes the page, all of it or nothing.

    Args:
        models: directory of models, as said above.
        out: directory that is written: new, empty, or an earlier page, which is replaced.
        packages: directory of the `@litertjs` packages; npm installs them when `None`.

    Returns:
        The manifest's list of models.

    Raises:
        ValueError: there are no models, one lacks a file, or `out` holds something else.
        OSError: npm is missing or fails, or a file can't be read or written.
    """
    models, out = Path(models), Path(out)
    is_page = (out / MANIFEST).is_file()
    if out.exists() and not is_page and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out must be new, empty or an earlier page. Received: '{out}'")
    directories = sorted(path for path in models.glob("*") if newest_card(path))
    if not directories:
        raise ValueError(
            "--models must hold models, such as NAME/1/card.json with NAME/model.tflite. "
            f"Received: '{models}', which holds none"
        )
    packages = install() if packages is None else Path(packages)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    earlier = temporary.with_suffix(".earlier")
    try:
        temporary.chmod(0o755)  # mkdtemp makes directories that only their owner can read
        for name in PAGE:
            copy(HERE / name, temporary / name)
        for source, name in RUNTIME.items():
            copy(packages / source, temporary / "litert" / name)
        entries = [add_model(directory, temporary) for directory in directories]
        entries.sort(key=lambda entry: (entry["arxiv"] or "~", entry["name"]))  # by age
        manifest = json.dumps({"models": entries}, indent=1, ensure_ascii=False)
        (temporary / MANIFEST).write_text(manifest + "\n", encoding="utf-8")
        if out.exists():
            out.rename(earlier)
        temporary.rename(out)
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return entries


def newest_card(directory):
    """The card of a model's newest version, or `None` where there is none."""
    cards = [path for path in directory.glob("*/card.json") if path.parent.name.isdecimal()]
    return max(cards, key=lambda path: int(path.parent.name), default=None)


def add_model(directory, out):
    """Copies a model's files and returns its entry in the manifest."""
    card = json.loads(newest_card(directory).read_text(encoding="utf-8"))
    ports = ports_of(card)
    translates = is_translation(next(iter(ports.values())))
    if translates:  # what else it can be asked for has no place on the page
        ports = {name: port for name, port in ports.items() if is_translation(port)}
    here = Path("models") / directory.name
    files = []
    for index, (port, described) in enumerate(list(ports.items())):
        name = "model.tflite" if index == 0 else f"model_{port}.tflite"
        if index and port not in (card.get("directions") or ()) and not (directory / name).exists():
            del ports[port]  # such as an encoder, which was not exported
            continue
        for kind in (*described["inputs"], described["output"]):
            check_channels(directory, kind, translates)
        path = here / name
        copy(directory / name, out / path)
        size = (out / path).stat().st_size
        files.append({"port": port, "path": path.as_posix(), "bytes": size})
    entry = {
        "name": directory.name,
        **{name: card.get(name) for name in KEPT},
        "data": data_of(card.get("dataset") or "unknown data"),
        "class_names": card.get("class_names") or [],
        "sample_shape": card["sample_shape"],
        "ports": ports,
        "files": files,
        "thumbnail": (here / "thumbnail.png").as_posix(),
    }
    output = next(iter(ports.values()))["output"]
    make_thumbnail(directory / "grid.png", out / entry["thumbnail"], output)
    if card["latents"]:
        entry["latent_dim"] = card["latent_shape"][0]
    if translates:
        entry["directions"] = directions_of(ports, [part["name"] for part in entry["data"]])
        taken = {
            direction["inputs"]: ports[name]["inputs"][0]
            for name, direction in entry["directions"].items()
        }
    else:
        every = [kind for port in ports.values() for kind in port["inputs"]]
        taken = {kind["name"]: kind for kind in every if kind["control"] == "picture"}
    inputs = {
        name: [
            copy(path, out / here / path.name).relative_to(out).as_posix()
            for path in sorted(directory.glob(f"inputs/{name}_*.png"), key=by_number)
        ]
        for name in taken
    }
    for name, kind in taken.items():
        # A translator's grid has what it is given in the first row.
        is_shown = name == kind["name"] and kind["view"] == output["view"]
        if not inputs[name] and is_shown and shown_alike(kind["shape"], output["shape"]):
            inputs[name] = write_cells(directory / "grid.png", out, here / name, kind["shape"])
        if not inputs[name] and translates:
            raise ValueError(
                f"models of pictures must have inputs/{name}_0.png, .... Received: '{directory}'"
            )
    return {**entry, "inputs": inputs} if inputs else entry


def is_translation(port):
    """Whether a port takes one picture and makes another one: see `Port.translates`."""
    controls = [kind["control"] for kind in port["inputs"]]
    return controls == ["picture"] and port["output"]["view"] == "picture"


def directions_of(ports, data):
    """What the page says of the ports of a translator, by their names.

    Args:
        ports: dict of ports, each of which takes one picture.
        data: names of the data's parts, of which two are what is given and what is made of it.

    Returns:
        `{port: {"inputs": ..., "from": ..., "to": ...}}`: as what its pictures to begin with are
        known, which is the side of a port such as `a_to_b` and otherwise the input's name; and what
        it makes of what, `None` where nothing says it.

    >>> directions_of({"a_to_b": port, "b_to_a": port}, ["edges", "photos"])["b_to_a"]
    {'inputs': 'b', 'from': 'photos', 'to': 'edges'}
    """
    two = data if len(data) == 2 else ["A", "B"]
    called, directions = dict(zip("ab", two, strict=True)), {}
    for name, port in ports.items():
        sides = re.fullmatch("([ab])_to_([ab])", name)
        if sides:
            key, (source, target) = sides[1], (called[side] for side in sides.groups())
        else:
            alone = len(ports) == 1 and len(data) == 2
            key, (source, target) = port["inputs"][0]["name"], data if alone else (None, None)
        directions[name] = {"inputs": key, "from": source, "to": target}
    return directions


def shown_alike(a, b):
    """Whether pictures of two shapes have cells of one size in a grid."""
    return None not in a and a[:2] == b[:2]


def ports_of(card):
    """What a model can be asked for, `{name: port}` as `keras_gans.training.ports.Port.describe`.

    Cards of before ports do not describe them, but say enough.
    """
    described = card.get("ports") or {}
    if described and all("inputs" in port for port in described.values()):
        wanted = ("inputs", "output")
        return {name: {part: port[part] for part in wanted} for name, port in described.items()}

    def kind(kind, name, noun, shape, control, view, **more):
        own = {"kind": kind, "name": name, "shape": shape, "noun": noun}
        return {**own, "control": control, "view": view, **more}

    def pictures(name):
        return kind("Pictures", name, "pictures", card["sample_shape"], "picture", "picture")

    if card.get("directions"):
        port = {"inputs": [pictures("images")], "output": pictures("pictures")}
        return {name: port for name in card["directions"]}
    shape, prior = card["latent_shape"], card["latents"]
    inputs = [kind("Latents", "latents", "latents", shape, "seed", "numbers", prior=prior)]
    if card["num_classes"]:
        more = {"num_classes": card["num_classes"]}
        inputs.append(kind("Labels", "labels", "labels", [], "choice", "choice", **more))
    return {"generate": {"inputs": inputs, "output": pictures("samples")}}


def check_channels(directory, kind, any_size=False):
    """Raises ValueError unless browsers can show pictures of a kind, and these are of one size.

    Of any size, where that is said, the page takes the size that the `.tflite` file has.
    """
    drawn = kind["view"] in ("picture", "frames")
    sized = any_size or None not in kind["shape"]
    if drawn and not (sized and kind["shape"][-1] in (1, 3)):
        raise ValueError(
            f"models must have {kind['noun']} of one size with 1 or 3 channels. Received: "
            f"'{directory}', whose `{kind['name']}` have the shape {kind['shape']}"
        )


def by_number(path):
    """a_2.png stands before a_10.png."""
    return len(path.name), path.name


def data_of(dataset):
    """What the page says of the data: `[{"name": ..., "url": ...}]`, one for each part.

    >>> [part["name"] for part in data_of("A: Noto emoji, B: OpenMoji")]
    ['Noto emoji', 'OpenMoji']
    """
    parts = re.fullmatch("A: (.*), B: (.*)", dataset)
    known = [DATA.get(part, (part, None)) for part in (parts.groups() if parts else [dataset])]
    return [{"name": name, "url": url} for name, url in known]


def make_thumbnail(grid, path, kind):
    """The first pictures of a grid; `kinds.render` made it, with a frame 2 pixels wide.

    Of what is no picture, or one of any size, the whole drawing, made smaller.
    """
    if not grid.is_file():
        raise FileNotFoundError(f"models must have a grid.png. Received: '{grid.parent}'")
    with open_picture(grid) as picture:
        if kind["view"] != "picture" or None in kind["shape"]:
            picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            picture.save(path, "PNG", optimize=True)
            return
        width, height = cell_of(picture, kind["shape"])
        right, bottom = (n * THUMBNAIL + 2 for n in (width, height))
        picture.crop((0, 0, right, bottom)).save(path, "PNG", optimize=True)


def cell_of(grid, shape):
    """Width and height of a grid's cells, with the frame of one side."""
    # Small pictures were enlarged, by a whole number that the grid's width tells.
    scales = range(max(1, 64 // max(shape[:2])), 1, -1)
    scale = next((n for n in scales if grid.width % (shape[1] * n + 2) == 2), 1)
    return shape[1] * scale + 2, shape[0] * scale + 2


def write_cells(grid, out, name, shape):
    """The first pictures of a grid, in files of their own; their paths on the page."""
    from PIL import Image

    paths = []
    with open_picture(grid) as picture:
        width, height = cell_of(picture, shape)
        places = itertools.product(range(2, picture.height, height), range(2, picture.width, width))
        for i, (top, left) in enumerate(itertools.islice(places, INPUTS)):
            box = (left, top, left + width - 2, top + height - 2)
            path = f"{name.as_posix()}_{i}.png"
            cell = picture.crop(box).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
            cell.save(out / path)
            paths.append(path)
    return paths


def install():
    """Has npm fetch the runtime, once; returns the directory of its packages."""
    packages = HERE / "node_modules" / "@litertjs"
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = {name: lock[f"node_modules/@litertjs/{name}"]["version"] for name in PACKAGES}
    if wanted == {name: version_in(packages / name) for name in PACKAGES}:
        return packages
    npm = shutil.which("npm")
    if not npm:
        raise FileNotFoundError(
            "the page needs npm, which comes with Node.js (https://nodejs.org), to fetch its "
            "runtime. It was not found"
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"`npm ci` failed in '{HERE}':\n{done.stderr.strip()}")
    return packages


def version_in(package):
    try:
        return json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        return None


def copy(source, target):
    if not source.is_file():
        raise FileNotFoundError(f"'{source}' must be a file. It does not exist")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


class Handler(http.server.SimpleHTTPRequestHandler):
    """Browsers compile WASM while it arrives only by this type, which not every system knows."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".tflite": "application/octet-stream",
    }

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")  # A page that was built anew is seen anew.
        super().end_headers()

    def log_message(self, *_):
        pass


def serve(directory, port):
    """Serves a directory on this computer alone, until Ctrl-C."""
    handler = functools.partial(Handler, directory=directory)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise ValueError(f"--port must be a free port. Received: {port} ({error})") from error
    print(f"http://127.0.0.1:{server.server_port}/    (Ctrl-C ends it)", flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
