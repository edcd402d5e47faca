"""A step that leaves TensorFlow: exported, run by jax, brought back, it is what `fit` does."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import CASES
from harness import BATCH, SHAPE, compile_sgd, state, train

from keras_gans import DCGAN
from keras_gans.devices.precision import compute_dtypes, dtype_policy
from keras_gans.images import read_png, to_uint8
from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator
from keras_gans.training import checkpoints
from keras_gans.training.pipeline import begin

PJRT = Path(__file__).resolve().parents[2] / "tools" / "pjrt"
sys.path.insert(0, str(PJRT))

import export_step  # noqa: E402
import import_state  # noqa: E402
import presets  # noqa: E402
import run_step  # noqa: E402
import states  # noqa: E402

SMALL = (8, 8, 1)
EXAMPLES = 5 * BATCH + 3  # some are left over in each epoch
BY_NAME = {case.name: case for case in CASES}


def built(case, **kwargs):
    """A model as `fit` trains it on a GPU: compiled by XLA, which draws its own normal numbers."""
    return compile_sgd(case.build(ema_decay=0.9), case.rate, jit_compile=True, **kwargs)


def named(model, arrays):
    return {part.name: array for part, array in zip(model.data_spec(), arrays, strict=True)}


def run(directory, arrays, steps, **kwargs):
    """Trains in the natural order of the data, as `fit` does on `case.dataset`."""
    trainer = run_step.Trainer(directory, kwargs.pop("state", None))
    arrays = states.check_data(arrays, trainer.manifest)
    run_step.train(trainer, arrays, steps, shuffle=False, **kwargs)
    return trainer


def check_as_fit(case, directory, steps_per_call=1, steps=5):
    fitted, exported = built(case), built(case)
    arrays = named(exported, case.arrays(exported, steps))
    first = BATCH * exported.minibatches_per_step
    begin(
        exported,
        [k.checked(v[:first]) for k, v in zip(exported.data_spec(), arrays.values(), strict=True)],
    )
    history = train(fitted, case, steps).history
    assert all(np.isfinite(values).all() for values in history.values())
    export_step.export_step(
        exported, directory, BATCH, steps_per_call=steps_per_call, uint8=False, samples=0
    )
    run(directory, arrays, steps, log_every=steps)
    imported = import_state.import_state(directory)
    assert type(imported) is type(fitted)
    harness.assert_close(state(imported), state(fitted), 1e-5)
    assert any((a != b).any() for a, b in zip(state(imported), state(exported), strict=True))
    losses = np.genfromtxt(directory / "logs.csv", delimiter=",", names=True)
    for name, metric in fitted.report_metrics.items():
        assert losses[name] == pytest.approx(float(metric.result()), rel=1e-3, abs=1e-4)


# Random state, control variables, buffers and fades, which a call carries from step to step.
CARRYING = {"WGANGP", "BEGAN", "InfoGAN", "ProGAN", "CycleGAN"}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_model_trains_as_fit(case, tmp_path):
    """And XLA compiles its step, as it must on a TPU: for `fit`, and for the file."""
    if any(None in kind.shape for kind in case.build().data_spec()):
        with pytest.raises(ValueError, match="must have samples of one shape"):
            export_step.export_step(built(case), tmp_path / "step", BATCH)
        return
    check_as_fit(case, tmp_path / "step", steps_per_call=5 if case.name in CARRYING else 1)


# One small step, exported once


def small_model(seed=3, optimizer=keras.optimizers.Adam, width=4, **kwargs):
    gan = DCGAN(
        build_dcgan_generator(SMALL, 6, width=width, seed=1),
        build_dcgan_discriminator(SMALL, width=width, seed=2),
        ema_decay=0.5,
        seed=seed,
    )
    gan.compile(**{f"{player}_optimizer": optimizer(1e-3) for player in gan.players}, **kwargs)
    return gan


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (EXAMPLES, *SMALL)).astype("uint8")


@pytest.fixture(scope="module")
def exported(tmp_path_factory, pictures):
    """The directory of a small DCGAN, with data and 9 samples."""
    directory = tmp_path_factory.mktemp("pjrt") / "dcgan"
    gan = small_model()
    return export_step.export_step(gan, directory, BATCH, samples=9, arrays={"reals": pictures})


@pytest.fixture
def folder(exported, tmp_path):
    """A copy of it, to write into."""
    return Path(shutil.copytree(exported, tmp_path / "dcgan"))


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    """The same program is compiled once for all tests."""
    import jax

    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("cache")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    yield
    jax.config.update("jax_compilation_cache_dir", None)


def trained(folder, steps=2, **kwargs):
    """The state after some steps, by name."""
    trainer = run_step.Trainer(folder, kwargs.pop("state", None))
    arrays = states.check_data(states.read_arrays(folder / "data.npz"), trainer.manifest)
    run_step.train(trainer, arrays, steps, **kwargs)
    return states.read(kwargs.get("out") or folder / "after.npz", trainer.manifest)[0]


def differences(a, b):
    return [name for name in a if not np.array_equal(a[name], b[name])]


def test_adam_as_fit(exported, folder, pictures):
    """The state of optimizers comes back too, and `fit` goes on from it."""
    trained(folder, 3, shuffle=False)
    imported, fitted = import_state.import_state(folder), small_model(jit_compile=True)
    floats = pictures.astype("float32") / 127.5 - 1.0
    fitted.fit(
        tf.data.Dataset.from_tensor_slices(floats).batch(BATCH), steps_per_epoch=3, verbose=0
    )
    assert type(imported.generator_optimizer) is keras.optimizers.Adam
    assert int(imported.generator_optimizer.iterations) == 3
    harness.assert_close(state(imported), state(fitted), 1e-4)
    before = np.array(imported.generator.weights[0])
    imported.fit(floats, batch_size=BATCH, steps_per_epoch=1, verbose=0)
    assert int(imported.generator_optimizer.iterations) == 4
    assert (np.array(imported.generator.weights[0]) != before).any()


@pytest.mark.slow
def test_without_tensorflow(folder):
    """The command, where neither TensorFlow nor Keras nor this package is; samples are written."""
    blocked = "import sys; sys.modules |= dict.fromkeys(['tensorflow', 'keras', 'keras_gans'])"
    script = f"{blocked}; sys.argv = sys.argv[1:]; import run_step; run_step.main()"
    options = ["--steps", "4", "--log-every", "2", "--sample-every", "2"]
    ran = subprocess.run(
        [sys.executable, "-c", script, "run_step.py", str(folder), *options],
        env={**os.environ, "PYTHONPATH": str(PJRT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert (result["steps"], result["device"]) == (4, "cpu")
    lines = (folder / "logs.csv").read_text().splitlines()
    assert lines[0] == "step,discriminator_loss,generator_loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["2", "4"]
    (samples,) = states.read_arrays(folder / "samples_00000004.npy").values()
    assert (samples.shape, samples.dtype) == ((9, *SMALL), np.uint8)
    assert (samples != np.load(folder / "samples_00000002.npy")).any()
    imported = import_state.import_state(folder)
    expected = imported.generate(9, seed=export_step.SAMPLE_SEED)
    assert np.abs(samples.astype(int) - expected).max() <= 1
    grids = import_state.write_grids(folder)
    assert [path.name for path in grids] == ["samples_00000002.png", "samples_00000004.png"]
    assert read_png(grids[-1]).shape[0] > 3 * 8


@pytest.mark.slow
def test_uint8_is_float(folder, pictures, tmp_path):
    gan = small_model()
    floats = (pictures.astype("float32") / 127.5 - 1.0).astype("float32")
    other = export_step.export_step(
        gan, tmp_path / "floats", BATCH, uint8=False, samples=0, arrays={"reals": floats}
    )
    assert differences(trained(folder), trained(other)) == []


@pytest.mark.slow
def test_data_on_the_host(folder):
    assert differences(trained(folder), trained(folder, on_host=True)) == []


def test_in_several_goes(folder):
    """The order of the data, too, goes on; lines of the log after the state's step are dropped."""
    whole = trained(folder, 12, log_every=3, out=folder / "whole.npz")
    trained(folder, 9, log_every=3)
    trained(folder, 6, log_every=3, out=folder / "half.npz")
    parts = trained(folder, 6, log_every=3, state=folder / "half.npz")
    assert differences({k: v for k, v in whole.items() if "metrics" not in k}, parts) == []
    lines = (folder / "logs.csv").read_text().splitlines()[1:]
    assert [int(line.split(",")[0]) for line in lines] == [3, 6, 9, 12]


def test_states_on_the_way(folder):
    trained(folder, 4, save_every=2, out=folder / "out.npz", stop=lambda: True)  # ends after one
    manifest = states.read_manifest(folder)
    assert states.read(folder / "out.npz", manifest)[1] == 1
    trained(folder, 4, minutes=0)
    assert states.read(folder / "after.npz", manifest)[1] == 1


@pytest.mark.slow
def test_a_signal_ends_it(folder):
    process = subprocess.Popen(
        [sys.executable, PJRT / "run_step.py", folder, "--steps", "1000000", "--log-every", "1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    steps = json.loads(out.splitlines()[-1])["steps"]
    assert states.read(folder / "after.npz", states.read_manifest(folder))[1] == steps < 1_000_000


def test_orders():
    size, num = 4, 11
    order = run_step.orders(num, size, seed=1)
    steps = np.stack([next(order) for _ in range(6)])
    for epoch in range(3):
        rows = steps[2 * epoch : 2 * epoch + 2].ravel()
        assert len(set(rows)) == 8 and set(rows) <= set(range(num))
    assert (steps[:2] != steps[2:4]).any()
    again = run_step.orders(num, size, seed=1, first_step=3)
    np.testing.assert_array_equal([next(again) for _ in range(3)], steps[3:])
    for other in ({"seed": 2}, {"seed": 1, "stream": 1}):
        assert (next(run_step.orders(num, size, **other)) != steps[0]).any()
    natural = run_step.orders(num, size, shuffle=False)
    assert [list(next(natural)) for _ in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]]


def test_drawn_state(folder):
    """Stand-ins for timings have the means and deviations of the export, and its counters."""
    variables = states.read_manifest(folder)["variables"]
    (folder / "state.npz").unlink()
    drawn = run_step.Trainer(folder, drawn_state=True).values
    kernel = max(variables, key=lambda v: np.prod(v["shape"]) if "mean" in v else 0)
    values = np.asarray(drawn[kernel["name"]])
    assert values.std() == pytest.approx(kernel["std"], rel=0.2)
    assert abs(values.mean() - kernel["mean"]) < kernel["std"]
    assert kernel["std"] == pytest.approx(0.02, rel=0.3)  # DCGAN's
    counted = [v for v in variables if v["dtype"] == "int64" and v["shape"] == [2]]
    np.testing.assert_array_equal(drawn[counted[0]["name"]], [3, 0])  # the seed, and no draw yet


def test_what_breaks_is_said(folder):
    """Losses that are not finite end it, and no state is written."""
    values, _ = states.read(folder / "state.npz", manifest := states.read_manifest(folder))
    name = next(n for n in values if "generator" in n and values[n].ndim == 2)
    values[name] = np.full_like(values[name], 3e38)
    states.write(folder / "huge.npz", values, manifest, 0)
    with pytest.raises(FloatingPointError, match="_loss is not finite by step 2"):
        trained(folder, 4, state=folder / "huge.npz", log_every=2)
    assert not (folder / "after.npz").exists()


# What is refused


def rewritten(path, change):
    """A state that is changed by hand: `change(arrays, facts)`."""
    arrays = states.read_arrays(path)
    facts = json.loads(str(arrays.pop("facts")))
    change(arrays, facts)
    states.write_arrays(path.with_name("bad.npz"), {"facts": np.array(json.dumps(facts)), **arrays})


def swap(arrays, facts):
    facts["variables"][:2] = facts["variables"][1::-1]


def reshape(arrays, facts):
    name = next(name for name in arrays if arrays[name].dtype == np.float32)
    arrays[name] = np.zeros((7, 7), "float32")


def poison(arrays, facts):
    name = next(n for n in arrays if arrays[n].dtype == np.float32 and not n.startswith("metrics"))
    arrays[name] = np.full_like(arrays[name], np.nan)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda arrays, facts: facts.update(model="WGAN"), "must be the state of a DCGAN.*a WGAN"),
        (lambda arrays, facts: arrays.pop(facts["variables"][0]), "a file without 'model/"),
        (lambda arrays, facts: arrays.update(more=np.zeros(1)), "a file with 'more'"),
        (swap, "the same ones in another order"),
        (reshape, r"float32 \(7, 7\), not float32"),
        (poison, "must be finite"),
        (lambda arrays, facts: facts.update(digest="0"), "another one's"),
        (lambda arrays, facts: facts.clear(), "without its facts"),
    ],
    ids=["model", "missing", "more", "order", "shape", "nan", "digest", "facts"],
)
def test_another_state(folder, change, match):
    rewritten(folder / "state.npz", change)
    with pytest.raises(ValueError, match=match):
        import_state.import_state(folder, folder / "bad.npz")
    with pytest.raises(ValueError, match=match):
        run_step.Trainer(folder, folder / "bad.npz")


@pytest.mark.parametrize("kept", [0, 100, -1000, -1])
def test_a_truncated_state(folder, kept):
    content = (folder / "state.npz").read_bytes()
    (folder / "bad.npz").write_bytes(content[:kept])
    with pytest.raises(ValueError, match=r"bad.npz' must be a whole"):
        import_state.import_state(folder, folder / "bad.npz")
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 255
    (folder / "bad.npz").write_bytes(flipped)
    with pytest.raises(ValueError, match=r"bad.npz' must be"):
        import_state.import_state(folder, folder / "bad.npz")


def test_into_another_model(folder):
    before = state(other := small_model(width=8))
    for model, match in (
        (other, "has the shape"),
        (small_model(optimizer=keras.optimizers.SGD), "the state has 'discriminator_optimizer"),
        (compile_sgd(BY_NAME["WGAN"].build()), "must be a DCGAN. Received: a WGAN"),
        (BY_NAME["DCGAN"].build(), "must be compiled"),
        (keras.Sequential(), "Received: a Sequential"),
    ):
        with pytest.raises(ValueError, match=match):
            import_state.import_state(folder, folder / "state.npz", model)
    harness.assert_close(state(other), before, 0)


def test_a_state_goes_into_its_model(folder):
    values = trained(folder)
    model = import_state.import_state(folder, model=small_model())
    kernel = next(name for name in values if name.endswith("kernel"))
    found = checkpoints.variables_of(model)[kernel]
    np.testing.assert_array_equal(found.numpy(), values[kernel])


def test_another_directory(folder, tmp_path):
    with pytest.raises(ValueError, match=r"must be one that export_step.py wrote"):
        run_step.Trainer(tmp_path)
    (folder / "step.mlir").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"step.mlir' must be the file of its manifest"):
        run_step.Trainer(folder)
    (folder / "step.mlir").unlink()
    with pytest.raises(ValueError, match="Received: no file"):
        import_state.import_state(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 9}))
    with pytest.raises(ValueError, match=r"must be of format 1. Received: 9"):
        run_step.Trainer(folder)


def test_bad_data():
    part = {"name": "reals", "kind": "pictures", "shape": [8, 8, 1], "dtype": "float32"}
    label = {"name": "labels", "kind": "labels", "shape": [], "dtype": "int32", "num_classes": 3}
    good = np.random.default_rng(0).uniform(-1, 1, (8, *SMALL)).astype("float32")
    labels = np.arange(8) % 3

    def check(parts, unpaired=False, **arrays):
        manifest = {"data": parts, "examples_per_step": 4}
        return states.check_data(arrays, manifest, unpaired)

    assert check([part, label], reals=good, labels=labels)[1].dtype == np.int32
    assert check([part], anything=good)[0] is good  # one array may have any name
    bad = good.copy()
    bad[1, 0, 0, 0] = np.nan
    for match, reals in (
        ("must be float32. Received: uint8", to_uint8(good)),
        ("finite", bad),
        (r"\[-1, 1\]. Received: values in \[-12", 127 * good),
        (r"\[-1, 1\]. Received", (good + 1) / 2),
        (r"shape \(num, 8, 8, 1\). Received: \(8, 8, 8, 3\)", np.repeat(good, 3, axis=-1)),
        ("4 examples of a step", good[:3]),
        ("must not be empty", good[:0]),
    ):
        with pytest.raises(ValueError, match=match):
            check([part], reals=reals)
    with pytest.raises(ValueError, match=r"must be uint8. Received: float32; pictures x"):
        check([{**part, "dtype": "uint8"}], reals=good)
    with pytest.raises(ValueError, match=r"must be in \[0, 3\). Received: values in \[0, 3\]"):
        check([part, label], reals=good, labels=np.arange(8) % 4)
    with pytest.raises(ValueError, match=r"must be int32. Received: float64"):
        check([part, label], reals=good, labels=labels.astype("float64"))
    with pytest.raises(ValueError, match=r"must have the arrays \['reals', 'labels'\]"):
        check([part, label], reals=good)
    two = [part, {**part, "name": "reals_b"}]
    with pytest.raises(ValueError, match="one length, unless they are unpaired"):
        check(two, reals=good, reals_b=good[:5])
    check(two, unpaired=True, reals=good, reals_b=good[:5])


def test_data_with_objects(tmp_path):
    np.save(tmp_path / "data.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"data.npy' must be a whole"):
        states.read_arrays(tmp_path / "data.npy")
    with pytest.raises(ValueError, match="must be a whole"):
        states.read_arrays(tmp_path / "missing.npz")


def test_bad_numbers(folder, tmp_path):
    trainer = run_step.Trainer(folder)
    trainer.manifest["steps_per_call"] = 5
    for name in ("steps", "log_every", "sample_every", "save_every"):
        with pytest.raises(ValueError, match=f"`{name}` must be a multiple of the 5 steps"):
            run_step.train(trainer, [], **{"steps": 5, "log_every": 5, name: 7})


def test_bad_exports(tmp_path, two_replicas):
    gan = small_model()
    for name in ("batch_size", "steps_per_call"):
        with pytest.raises(ValueError, match=name):
            export_step.export_step(gan, tmp_path / "x", **{"batch_size": 8, name: 0})
    with pytest.raises(ValueError, match="samples"):
        export_step.export_step(gan, tmp_path / "x", 8, samples=-1)
    with pytest.raises(ValueError, match="`reals` must be uint8"):
        arrays = {"reals": np.zeros((9, *SMALL), "float32")}
        export_step.export_step(gan, tmp_path / "x", 8, arrays=arrays)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(FileExistsError, match="must be new"):
        export_step.export_step(gan, tmp_path / "full", 8)
    with two_replicas.scope():
        replicated = small_model()
    with pytest.raises(ValueError, match=r"single device. Received: one under MirroredStrategy"):
        export_step.export_step(replicated, tmp_path / "x", 8)
    assert not (tmp_path / "x").exists()


def test_a_step_that_reads_what_is_not_saved(tmp_path):
    lost = tf.Variable(np.ones((2, 3), "float32"))

    class Other(DCGAN):
        def sample_latents(self, like):
            return super().sample_latents(like) * tf.reduce_mean(lost)

    gan = small_model()
    other = Other(gan.generator, gan.discriminator, seed=0)
    with pytest.raises(ValueError, match=r"reads 1 other tensor\(s\)"):
        export_step.export_step(other, tmp_path / "x", 8)
    assert not (tmp_path / "x").exists()


# Precision


def precisions(directory):
    """The precisions that the products of a step ask for."""
    text = str(run_step.parsed((directory / "step.mlir").read_bytes()))
    return set(re.findall(r"precision (\w+)>", text))


def test_precision_of_products(exported, tmp_path):
    """TF32 is the device's choice, or is ruled out."""
    exact = export_step.export_step(small_model(), tmp_path / "exact", BATCH, tf32=False, samples=0)
    assert precisions(exported) == {"DEFAULT"}
    assert precisions(exact) == {"HIGHEST"}
    assert json.loads((exact / "manifest.json").read_text())["tf32"] is False
    assert tf.config.experimental.tensor_float_32_execution_enabled()


def test_programs_are_of_stablehlo_alone(exported):
    """TensorFlow writes `mhlo.copy`, which CPUs' compilers take and GPUs' do not."""

    def names(program):
        return {op.name for op in run_step.operations(run_step.parsed(program).operation)}

    program = (exported / "step.mlir").read_bytes()
    assert "mhlo.copy" in names(program)
    left = names(run_step.without_copies(program))
    assert {name.split(".")[0] for name in left} <= {"builtin", "func", "stablehlo", "chlo"}
    assert names(program) - left == {"mhlo.copy"}


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(policy, tmp_path, pictures):
    with dtype_policy(policy):
        gan = small_model()
    folder = export_step.export_step(
        gan, tmp_path / "half", BATCH, samples=4, arrays={"reals": pictures}
    )
    manifest = states.read_manifest(folder)
    assert manifest["precision"] == policy
    begun = states.read(folder / "state.npz", manifest)[0]
    assert all(value.dtype in ("float32", "int64", "int32", "bool") for value in begun.values())
    scales = [name for name in begun if "dynamic_scale" in name]
    assert len(scales) == (2 if policy == "mixed_float16" else 0)
    after = trained(folder, 5)
    kernels = [name for name in differences(begun, after) if name.endswith("kernel")]
    assert len(kernels) >= 4
    imported = import_state.import_state(folder)
    assert policy.removeprefix("mixed_") in compute_dtypes(imported.generator)


def test_weights_in_bfloat16(tmp_path):
    """numpy's files have no such type; the bits are stored, and come back."""
    import ml_dtypes

    value = np.array([1.5, -2.0, 3e38], ml_dtypes.bfloat16)
    variable = {"name": "w", "shape": [3], "dtype": "bfloat16"}
    manifest = {"model": "DCGAN", "variables": [variable]}
    manifest["digest"] = states.digest(manifest)
    states.write(tmp_path / "state.npz", {"w": value}, manifest, 7)
    values, steps = states.read(tmp_path / "state.npz", manifest)
    assert steps == 7
    np.testing.assert_array_equal(run_step._as_typed(values["w"], "bfloat16"), value)


# The commands, and what they need


@pytest.mark.slow
def test_commands_of_two_sets(tmp_path):
    """CycleGAN's parts have orders of their own, and its samples are translations."""
    rng = np.random.default_rng(0)
    from keras_gans.images import save_png

    for name, num in (("a", 4), ("b", 6)):
        (tmp_path / name).mkdir()
        for k in range(num):
            picture = rng.integers(0, 256, (16, 16, 3)).astype("uint8")
            save_png(tmp_path / name / f"{k}.png", picture)
    command = ["cyclegan", "--dataset", tmp_path / "a", "--dataset-b", tmp_path / "b", "--data"]
    command += ["--samples", "3", "--steps-per-call", "2", "--out", tmp_path / "step"]
    tool(command, "export_step.py")
    tool([tmp_path / "step", "--steps", "4", "--unpaired"], "run_step.py")
    model = tmp_path / "model.keras"
    tool([tmp_path / "step", "--model", model, "--grids"], "import_state.py")
    gan = keras.models.load_model(model)
    (samples,) = states.read_arrays(tmp_path / "step" / "samples_00000004.npy").values()
    shown = states.read_arrays(tmp_path / "step" / "data.npz")["reals_a"][:3]
    assert np.abs(samples.astype(int) - gan.translate(shown)).max() <= 1
    assert (tmp_path / "step" / "samples_00000004.png").exists()


def tool(arguments, name):
    command = [sys.executable, str(PJRT / name), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.mark.slow
def test_commands_from_a_name_to_a_preset(tmp_path):
    import keras_gans

    out = tmp_path / "step"
    tool(
        ["cgan", "--out", out, "--data", "--batch-size", "16", "--samples", "20"], "export_step.py"
    )
    assert states.read_arrays(out / "data.npz")["reals"].shape == (10_000, 28, 28, 1)
    tool([out, "--steps", "3", "--log-every", "3"], "run_step.py")
    tool([out, "--preset", tmp_path / "cgan", "--grid", tmp_path / "g.png"], "import_state.py")
    assert keras_gans.load(str(tmp_path / "cgan")).generate(3, seed=0).shape == (3, 28, 28, 1)
    assert (tmp_path / "g.png").exists()
    again = subprocess.run(
        [sys.executable, PJRT / "export_step.py", "cgan", "--out", out],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1
    assert "Error: `directory` must be new" in again.stderr


def test_arrays_of_a_data_set():
    gan = BY_NAME["CGAN"].build()
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (13, *SHAPE)).astype("uint8")
    labels = rng.integers(0, harness.NUM_CLASSES, 13)
    floats = levels.astype("float32") / 127.5 - 1.0
    dataset = tf.data.Dataset.from_tensor_slices((floats, labels)).batch(5)
    arrays = export_step.arrays_of(gan, dataset)
    np.testing.assert_array_equal(arrays["reals"], levels)
    np.testing.assert_array_equal(arrays["labels"], labels)
    with pytest.raises(ValueError, match="must be of one epoch"):
        export_step.arrays_of(gan, dataset.repeat())


def test_the_package_does_not_know_jax():
    root = PJRT.parents[1] / "keras_gans"
    importing = re.compile(r"^\s*(import|from) jax", re.MULTILINE)
    assert [path for path in root.rglob("*.py") if importing.search(path.read_text())] == []
    assert importing.search((PJRT / "run_step.py").read_text())  # it would be found


@pytest.mark.slow
def test_a_folder_of_trainings_trains_and_goes_on(tmp_path):
    presets.write_folder(tmp_path / "gpu", ["gan"])
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHON": sys.executable}
    for _ in range(2):
        command = ["bash", tmp_path / "gpu" / "train.sh", tmp_path / "out"]
        subprocess.run(command, check=True, env={**environment, "MINUTES": "0.05"})
    steps, *_ = (tmp_path / "out" / "gan" / "logs.csv").read_text().splitlines()[-1].split(",")
    state = tmp_path / "out" / "gan" / "after.npz"
    gan = import_state.import_state(tmp_path / "gpu" / "gan", state)
    assert int(steps) == int(gan.generator_optimizer.iterations) >= 40
    assert gan.generate(3, seed=0).shape == (3, 28, 28, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lapgan", "infogan", "wgan_gp", "sngan", "began", "r3gan"])
def test_trainings_of_presets_can_be_built(name):
    training = presets.TRAININGS[name]
    gan = training.build((28, 28, 1), training.steps)
    assert gan.compiled and gan.generator_optimizer
