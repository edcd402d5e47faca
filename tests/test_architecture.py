"""One direction: which module of the package imports which, those in functions included."""

import ast
import dataclasses
import pathlib
import textwrap

import pytest

import keras_gans

ROOT = pathlib.Path(keras_gans.__file__).parent
PACKAGE = ROOT.name

# What takes long to import or is an extra is imported where it is used.
OPTIONAL = {
    "PIL",
    "ai_edge_litert",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "rich",
    "scipy",
    "tensorflow_datasets",
}
# This one sets TensorFlow up, and so comes before it.
BEFORE_TENSORFLOW = f"{PACKAGE}.devices.onednn"
COMMANDS = f"{PACKAGE}.cli.app"

# Packages and modules of the root, the lowest first: none knows anything of a row below its own.
HOUSE = (
    ("devices",),
    ("files", "versions", "catalogue", "papers", "preset_places"),
    ("checks", "images", "picture_files"),
    ("losses", "penalties", "optimizers", "schedules", "pyramids", "layers", "networks"),
    ("training",),
    ("datasets",),
    ("families",),
    ("models",),
    ("registry",),
    ("callbacks", "export", "metrics", "presets", "run_settings", "sources"),
    ("runs",),
    ("cli", "__main__"),
)


@dataclasses.dataclass(frozen=True)
class Import:
    """One import of a module.

    Attributes:
        module: the module that has it, by its full name.
        line: of its source.
        target: the full name of what is imported: a module, or a name in one.
        hidden: whether it is inside a function.
        handed_over: whether it is inside `with quiet_import():`.
    """

    module: str
    line: int
    target: str
    hidden: bool
    handed_over: bool


def read_package():
    """`{module: source}` of the package."""
    sources = {}
    for path in ROOT.rglob("*.py"):
        parts = (PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def imports_in(module, source):
    """All imports of a module, those inside functions included; none may be relative."""

    def visit(node, hidden, handed_over):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import in line {node.lineno}"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            targets = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for target in targets:
            yield Import(module, node.lineno, target, hidden, handed_over)
        hidden |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.With):
            handed_over |= any("quiet_import()" in ast.unparse(item) for item in node.items)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, hidden, handed_over)

    yield from visit(ast.parse(source), False, False)


def all_imports(sources):
    return [found for module in sources for found in imports_in(module, sources[module])]


def modules_of(found, modules):
    """The modules of the package that an import runs: what is named, and the packages it is in.

    Packages that the importing module is in itself are there already, unless their own names are
    used; and so is the whole package.
    """
    parts = found.target.split(".")
    names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    *packages, last = [name for name in names if name in modules] or [None]
    there = [name for name in packages if f"{found.module}.".startswith(f"{name}.")]
    return {last, *packages} - {None, *there}


def graph_of(sources):
    """`{module: modules that it imports}`."""
    graph = {module: set() for module in sources}
    for found in all_imports(sources):
        graph[found.module] |= modules_of(found, sources)
    return graph


def find_cycle(graph):
    """Modules each of which imports the next one and the last one the first; or None."""
    done = set()

    def search(module, path):
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return None
        cycles = (search(target, [*path, module]) for target in sorted(graph[module]))
        cycle = next(filter(None, cycles), None)
        done.add(module)
        return cycle

    return next(filter(None, (search(module, []) for module in sorted(graph))), None)


def row_of(module):
    """Where a module stands in `HOUSE`."""
    name = module.split(".")[1]
    rows = [row for row, names in enumerate(HOUSE) if name in names]
    assert len(rows) == 1, f"{module} must have a place in the house, and one only: {rows}"
    return rows[0]


def upward(graph):
    """The imports of what stands higher in the house; `keras_gans` itself is above all of it."""
    for module, targets in graph.items():
        for target in sorted(targets - {PACKAGE}) if module != PACKAGE else ():
            if row_of(target) > row_of(module):
                yield f"{module} -> {target}"


SOURCES = read_package()
GRAPH = graph_of(SOURCES)


def test_no_cycle():
    cycle = find_cycle(GRAPH)
    assert cycle is None, f"They import each other in a circle: {' -> '.join([*cycle, cycle[0]])}"


def misplaced(imports):
    """The imports inside functions that are neither a command's hand-over nor of an extra."""
    for found in imports:
        package = found.target.partition(".")[0]
        if not found.hidden or package in OPTIONAL:
            continue
        if found.module == COMMANDS and package == PACKAGE and found.handed_over:
            continue
        if found.module != BEFORE_TENSORFLOW or package != "tensorflow":
            yield f"{found.module}, line {found.line}: {found.target}"


def test_imports_in_functions():
    """A command hands over to the module that does its work; others import at their top."""
    assert list(misplaced(all_imports(SOURCES))) == []


def test_nobody_goes_round_the_list():
    for module, source in SOURCES.items():
        assert "import_module" not in source and "__import__" not in source, module


def test_a_command_hands_over_once():
    functions = [n for n in ast.parse(SOURCES[COMMANDS]).body if isinstance(n, ast.FunctionDef)]
    for function in functions:
        hidden = list(imports_in(COMMANDS, ast.unparse(function)))
        is_command = any("app.command" in ast.unparse(d) for d in function.decorator_list)
        assert len(hidden) <= is_command, function.name


def test_the_package_itself_is_for_users():
    """`keras_gans` imports all of its modules, so none of them imports it."""
    assert [module for module in GRAPH if PACKAGE in GRAPH[module]] == []


def test_one_direction():
    """What stands low, imports inside functions included, knows nothing of what stands above it."""
    assert list(upward(GRAPH)) == []


def test_all_have_their_place():
    there = {module.split(".")[1] for module in GRAPH if module != PACKAGE}
    assert there == {name for names in HOUSE for name in names}


# The tests above, on a package that is as it should not be


def package(**sources):
    modules = {PACKAGE: "", **{f"{PACKAGE}.{name}": text for name, text in sources.items()}}
    return {name.replace("__", "."): textwrap.dedent(text) for name, text in modules.items()}


def test_a_cycle_through_a_function_and_a_package_is_found():
    sources = package(
        a="from keras_gans.b.part import x",  # and so b, which imports c
        b="from keras_gans import c",
        b__part="x = 1",
        c="def f():\n    import keras_gans.a",
    )
    cycle = [f"{PACKAGE}.{name}" for name in "abc"]
    assert find_cycle(graph_of(sources)) == cycle
    sources[f"{PACKAGE}.c"] = ""
    assert find_cycle(graph_of(sources)) is None


def test_a_package_and_a_part_that_import_each_other():
    sources = package(b="from keras_gans.b.part import x", b__part="from keras_gans.b import y")
    assert find_cycle(graph_of(sources)) == [f"{PACKAGE}.b", f"{PACKAGE}.b.part"]


def test_the_package_itself_is_seen():
    for text in ("import keras_gans", "from keras_gans import WGANGP", "from keras_gans import *"):
        assert PACKAGE in graph_of(package(a=text))[f"{PACKAGE}.a"]
    assert PACKAGE not in graph_of(package(a="from keras_gans import b", b=""))[f"{PACKAGE}.a"]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("devices__replicas", "files"),
        ("layers__maxout", "training__base"),
        ("losses", "datasets"),
        ("training__base", "families__growing"),
        ("families__growing", "models__progan"),
        ("models__progan", "registry"),
        ("models__progan", "export__preset"),
        ("export__from_run", "runs"),
        ("callbacks__guard", "runs__training"),
        ("runs__training", "cli__parts"),
    ],
)
def test_an_import_of_what_is_above_is_found(low, high):
    names = [f"{PACKAGE}.{name.replace('__', '.')}" for name in (low, high)]
    for text in ("import {}", "def f():\n    from {} import x"):
        sources = package(**{low: text.format(names[1]), high: ""})
        assert list(upward(graph_of(sources))) == [" -> ".join(names)]
        sources = package(**{low: "", high: text.format(names[0])})
        assert list(upward(graph_of(sources))) == []


def test_a_module_without_a_place_is_found():
    with pytest.raises(AssertionError, match="attic must have a place"):
        list(upward(graph_of(package(losses="import keras_gans.attic", attic=""))))


@pytest.mark.parametrize(
    ("module", "text", "allowed"),
    [
        (
            "cli__app",
            "def f():\n    with quiet_import():\n        from keras_gans import runs",
            True,
        ),
        ("cli__app", "def f():\n    from keras_gans import runs", False),
        ("cli__app", "def f():\n    with quiet_import():\n        import tensorflow", False),
        (
            "runs",
            "def f():\n    with quiet_import():\n        from keras_gans import models",
            False,
        ),
        ("runs", "class A:\n    async def f(self):\n        import keras", False),
        ("runs", "def f():\n    from PIL import Image", True),
        ("devices__onednn", "def f():\n    import tensorflow as tf", True),
        ("devices__onednn", "def f():\n    import keras", False),
        ("runs", "import keras", True),
    ],
)
def test_what_is_allowed_in_functions(module, text, allowed):
    assert (list(misplaced(all_imports(package(**{module: text})))) == []) == allowed
