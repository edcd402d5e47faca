"""LAPGAN: each level is a GAN of its own on the real pyramid, and sampling goes up the pyramid."""

import h5py
import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, SHAPE

from keras_gans import LAPGAN
from keras_gans.networks import build_lapgan_discriminators, build_lapgan_generators
from keras_gans.optimizers import MomentumSGD
from keras_gans.pyramids import downsample, laplacian_pyramid, upsample


def lapgan_pair(**kwargs):
    small = {"width": 4, "kernel_size": 3, "units": 8, **kwargs}
    return (
        build_lapgan_generators(harness.SHAPE, 2, 6, seed=1, **small),
        build_lapgan_discriminators(harness.SHAPE, 2, dropout=0.3, seed=2, **small),
    )


CASES = [
    harness.case(LAPGAN, lapgan_pair),
]

ROLES = {
    "LAPGAN": harness.Roles(
        contests=harness.LOGITS
        | {
            "discriminator_2x2": "generator_2x2",
            "discriminator_4x4": "generator_4x4",
            "discriminator_8x8": "generator_8x8",
        },
        loss_terms=(
            "discriminator_2x2",
            "discriminator_4x4",
            "discriminator_8x8",
            "generator_2x2",
            "generator_4x4",
            "generator_8x8",
        ),
    )
}

LEVELS = 3
SIZES = ["4x6", "8x12", "16x24"]
LATENT_DIM = 6
NOISE = [LATENT_DIM, 8 * 12, 16 * 24]


# The class-conditional form, as a case of the harness
LABELLED = harness.case(
    LAPGAN,
    lambda: lapgan_pair(num_classes=harness.NUM_CLASSES),
    labelled=True,
    num_classes=harness.NUM_CLASSES,
    bad_arguments=[({"num_classes": 0}, "num_classes"), ({"num_classes": None}, "num_classes")],
)


def generators(seed=1, levels=LEVELS, **kwargs):
    small = {"width": 4, "kernel_size": 3, "units": 8, **kwargs}
    return build_lapgan_generators(SHAPE, levels, LATENT_DIM, seed=seed, **small)


def discriminators(seed=2, levels=LEVELS, dropout=0.3, **kwargs):
    small = {"width": 4, "kernel_size": 3, "units": 8, **kwargs}
    return build_lapgan_discriminators(SHAPE, levels, dropout=dropout, seed=seed, **small)


def pictures(num=BATCH, seed=7):
    return np.random.default_rng(seed).uniform(-1, 1, (num, *SHAPE)).astype("float32")


def trained(model, steps=1):
    harness.compile_sgd(model, rate=0.1, run_eagerly=True)  # quicker than tracing, for few steps
    for step in range(steps):
        model.fit(tf.data.Dataset.from_tensors(pictures(seed=step)), verbose=0)
    return model


def weights(*networks):
    return [np.array(v) for network in networks for v in network.trainable_variables]


def test_paper_defaults():
    """facebook/eyescream: 0.02; momentum 0.5, and 0.0008 more an epoch of 704 updates up to 0.7."""
    model = LAPGAN(generators(), discriminators(), seed=0)
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is MomentumSGD and optimizer.dampened
        assert float(optimizer.learning_rate) == pytest.approx(0.02)
        for epoch, momentum in ((0, 0.5), (1, 0.5008), (125, 0.6), (250, 0.7), (999, 0.7)):
            assert float(optimizer.momentum(704 * epoch)) == pytest.approx(momentum)
        assert optimizer.global_clipnorm is None  # it would couple the levels


def test_default_networks_of_classes():
    given = LAPGAN.default_networks((8, 8, 1), num_classes=4, latent_dim=5, seed=0)
    model = LAPGAN(**given, num_classes=4, seed=0)
    assert model.generate(8, seed=0).shape == (8, 8, 8, 1)
    assert [kind.name for kind in model.ports()["generate"].inputs] == ["latents", "labels"]


def test_latents_are_uniform():
    model = LAPGAN(generators(), discriminators(), seed=0)
    assert model.latent_shape == model.sampler.input_shape[1:] == (sum(NOISE),)
    latents = np.array(model.sample_latents(tf.zeros((200, 1))))
    assert -1 <= latents.min() < -0.99 and 0.99 < latents.max() <= 1
    assert latents.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)  # of U(-1, 1)
    noises = [np.array(noise) for noise in model.noises(latents)]
    assert [n.shape[1:] for n in noises] == [(LATENT_DIM,), (8, 12, 1), (16, 24, 1)]
    together = np.concatenate([n.reshape(200, -1) for n in noises], axis=1)
    np.testing.assert_array_equal(together, latents)


def test_each_level_learns_as_if_alone():
    """Another first level leaves the others' weights as they are, and the other way round."""
    one = trained(LAPGAN(generators(), discriminators(), seed=3), steps=2)
    coarse, *finer = generators(seed=8)
    coarse_d, *finer_d = discriminators(seed=9)
    other_first = LAPGAN([coarse, *generators()[1:]], [coarse_d, *discriminators()[1:]], seed=3)
    other_rest = LAPGAN([generators()[0], *finer], [discriminators()[0], *finer_d], seed=3)
    trained(other_first, steps=2), trained(other_rest, steps=2)
    for name in ("generators", "discriminators"):
        of_one, of_first, of_rest = (getattr(m, name) for m in (one, other_first, other_rest))
        harness.assert_close(weights(*of_first[1:]), weights(*of_one[1:]), 1e-6)
        harness.assert_close(weights(of_rest[0]), weights(of_one[0]), 1e-6)
        assert np.abs(weights(of_first[0])[0] - weights(of_one[0])[0]).max() > 0.01


def test_a_step_is_the_cgan_step_of_each_level():
    """Against steps of SGD written out for each level, on the real low-pass picture (eq. 2)."""
    model = trained(LAPGAN(generators(), discriminators(dropout=0.0), seed=3))
    twin = LAPGAN(generators(), discriminators(dropout=0.0), seed=3)
    reals = pictures(seed=0)
    half = downsample(reals)
    low_passes = [None, upsample(downsample(half)), upsample(half)]
    residuals = laplacian_pyramid(reals, LEVELS)
    first, second = (twin.noises(twin.sample_latents(reals)) for _ in range(2))
    logs = {}
    for k in range(LEVELS):
        g, d, low = twin.generators[k], twin.discriminators[k], low_passes[k]

        def made(noise, g=g, low=low):
            return g(noise if low is None else [noise, low])

        def judged(h, d=d, low=low):
            return d(h if low is None else [h, low])

        def descend(network, loss):
            with tf.GradientTape() as tape:
                value = loss()
            values = [v.value for v in network.trainable_variables]
            for variable, gradient in zip(values, tape.gradient(value, values), strict=True):
                variable.assign_sub(0.1 * gradient)
            return float(value)

        fakes = made(first[k])
        logs[f"discriminator_{SIZES[k]}"] = descend(
            d,
            lambda judged=judged, h=residuals[k], fakes=fakes: (
                -tf.reduce_mean(
                    tf.math.log_sigmoid(judged(h)) + tf.math.log_sigmoid(-judged(fakes))
                )
                / 2
            ),
        )
        logs[f"generator_{SIZES[k]}"] = descend(
            g,
            lambda judged=judged, made=made, z=second[k]: (
                -tf.reduce_mean(tf.math.log_sigmoid(judged(made(z))))
            ),
        )
    for name in ("generators", "discriminators"):
        for mine, expected in zip(getattr(model, name), getattr(twin, name), strict=True):
            harness.assert_close(weights(mine), weights(expected), 1e-5)
    got = {name: float(metric.result()) for name, metric in model.report_metrics.items()}
    for player in model.players:
        by_level = [logs[f"{player}_{size}"] for size in SIZES]
        assert got.pop(f"{player}_loss") == pytest.approx(sum(by_level), rel=1e-5)
    assert got == pytest.approx(logs, rel=1e-5)


def test_the_condition_is_the_real_low_pass():
    """What G and D are given in training is u(d(I)) of the real pictures, at every call."""
    model = harness.compile_sgd(LAPGAN(generators(), discriminators(), seed=3), run_eagerly=True)
    seen = []
    for network in (*model.generators[1:], *model.discriminators[1:]):
        call = network.call
        network.call = lambda x, call=call, **kw: seen.append(np.array(x[1])) or call(x, **kw)
    reals = pictures()
    model.train_step(tf.constant(reals))
    half = downsample(reals)
    expected = {8: np.array(upsample(downsample(half))), 16: np.array(upsample(half))}
    assert len(seen) == 2 * (2 + 3)  # for each level: fakes twice; reals, fakes, fakes
    for low_pass in seen:
        np.testing.assert_allclose(low_pass, expected[low_pass.shape[1]], atol=1e-6)


def test_all_networks_are_told_the_label():
    """Each beside what it makes or judges: G twice, D of reals, of fakes and of fakes again."""
    model = LAPGAN(generators(num_classes=3), discriminators(num_classes=3), 3, seed=3)
    harness.compile_sgd(model, run_eagerly=True)
    seen = {}
    for network in (*model.generators, *model.discriminators):
        call = network.call
        network.call = lambda x, call=call, of=network.name, **kw: (
            seen.setdefault(of, []).append(np.array(x[-1])) or call(x, **kw)
        )
    labels = np.array([2, 0, 1, 1, 0, 2, 2, 0])
    model.train_step((tf.constant(pictures()), tf.constant(labels)))
    assert sorted(map(len, seen.values())) == [2, 2, 2, 3, 3, 3]
    for each in (labels_seen for of_network in seen.values() for labels_seen in of_network):
        np.testing.assert_array_equal(each, labels)


def test_labels_go_up_the_pyramid():
    """Equation 5 with a label at each level, composed from the generators in numpy."""
    model = LAPGAN(generators(num_classes=3), discriminators(num_classes=3), 3, seed=3)
    inputs = model.generator_inputs(5, seed=1, labels=[2, 0, 1, 1, 0])
    latents, labels = map(np.array, inputs)
    z = np.split(latents, np.cumsum(NOISE)[:-1], axis=1)
    made = np.array(model.generators[0]([z[0], labels]))
    for k, (h, w) in ((1, (8, 12)), (2, (16, 24))):
        low_pass = numpy_upsample(made)
        residuals = model.generators[k]([z[k].reshape(5, h, w, 1), low_pass, labels])
        made = low_pass + np.array(residuals)
    np.testing.assert_allclose(np.array(model.sampler(inputs)), made, atol=1e-5)
    np.testing.assert_array_equal(
        model.generate(5, seed=1, labels=[2, 0, 1, 1, 0]),
        np.clip(np.round((made + 1) * 127.5), 0, 255).astype("uint8"),
    )
    np.testing.assert_array_equal(model.generate(3, 0, 2), model.generate(3, 0, [2, 2, 2]))
    assert (model.generate(3, 0, 2) != model.generate(3, 0, 1)).any()


@pytest.mark.parametrize(
    "check", [harness.check_players_move_alone, harness.check_generate, harness.check_bad_arguments]
)
def test_the_harness_with_classes(check):
    check(LABELLED)


@pytest.mark.slow
@pytest.mark.parametrize("check", [harness.check_round_trip, harness.check_export])
def test_files_with_classes(check, tmp_path):
    check(LABELLED, tmp_path / "model.keras")


def test_a_saved_model_of_classes(tmp_path):
    model = LABELLED.build(ema_decay=0.9)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.num_classes == harness.NUM_CLASSES
    labels = [2, 0, 1, 1]
    np.testing.assert_array_equal(loaded.generate(4, 1, labels), model.generate(4, 1, labels))


def test_a_model_of_before_there_were_classes_loads():
    """Its settings do not name them, and the networks have no labels."""
    model = LAPGAN(generators(), discriminators(), seed=3)
    config = model.get_config()
    del config["num_classes"]
    loaded = LAPGAN.from_config(config)
    assert loaded.num_classes is None and len(loaded.data_spec()) == 1


@pytest.mark.parametrize(
    ("of_generators", "of_discriminators", "num_classes", "match"),
    [
        (3, 3, None, r"`generators\[0\]` must take no labels, as `num_classes` is None"),
        (None, 3, None, r"`discriminators\[0\]` must take no labels"),
        (None, None, 3, r"`generators\[0\]` must take integer labels.*`num_classes` is 3"),
        (3, None, 3, r"`discriminators\[0\]` must take integer labels"),
        (3, 3, 2.5, "`num_classes` must be an integer"),
    ],
)
def test_networks_and_classes(of_generators, of_discriminators, num_classes, match):
    networks = generators(num_classes=of_generators), discriminators(num_classes=of_discriminators)
    with pytest.raises(ValueError, match=f"{match}.*Received"):
        LAPGAN(*networks, num_classes)


def numpy_upsample(values):
    def double(line):
        places = (np.arange(2 * len(line)) + 0.5) / 2 - 0.5
        return np.interp(places, np.arange(len(line)), line)

    for axis in (1, 2):
        values = np.apply_along_axis(double, axis, values)
    return values.astype("float32")


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_generation_goes_up_the_pyramid(ema_decay):
    """Equation 5, composed in numpy from each generator alone; of the averages if there are some"""
    model = trained(LAPGAN(generators(), discriminators(), ema_decay=ema_decay, seed=3))
    used = model.ema_generators if ema_decay else model.generators
    latents = np.random.default_rng(1).uniform(-1, 1, (5, sum(NOISE))).astype("float32")
    z = np.split(latents, np.cumsum(NOISE)[:-1], axis=1)
    made = [np.array(used[0](z[0]))]
    for k, (h, w) in ((1, (8, 12)), (2, (16, 24))):
        low_pass = numpy_upsample(made[-1])
        made.append(low_pass + np.array(used[k]([z[k].reshape(5, h, w, 1), low_pass])))
    np.testing.assert_allclose(np.array(model(latents)), made[-1], atol=1e-5)
    np.testing.assert_allclose(np.array(model.sampler(latents)), made[-1], atol=1e-5)
    levels = model.pictures_by_level(latents)
    for level, expected in zip(levels, made, strict=True):
        np.testing.assert_allclose(np.array(level), expected, atol=1e-5)
    if ema_decay:
        assert np.abs(weights(*model.generators)[0] - np.array(used[0].variables[0])).max() > 0


def test_the_sampler_follows_training():
    """It is made once, and shares the generators' weights; the next samples are the new ones."""
    model = LAPGAN(generators(), discriminators(), seed=3)
    before, sampler = model.generate(4, seed=0), model.sampler
    trained(model)
    assert model.sampler is sampler
    assert (model.generate(4, seed=0) != before).any()


def stored(path):
    """Names and shapes of all arrays in a file of weights."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item.shape

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def test_nothing_is_saved_twice(tmp_path):
    """The sampler is no second owner of the weights: not in the model, and not in its file."""
    files = []
    for sampled in (False, True):
        model = LAPGAN(generators(), discriminators(), ema_decay=0.9, seed=3)
        if sampled:
            trained(model).generate(2, seed=0)
        assert not [layer for layer in model.layers if "sampler" in layer.name]
        assert len(model.variables) == len({id(v) for v in model.variables})
        harness.compile_sgd(model)
        path = tmp_path / f"{sampled}.weights.h5"
        model.save_weights(path)
        files.append(stored(path))
        for name in ("generators", "ema_generators", "discriminators"):
            arrays = [path for path in files[-1] if path.startswith(f"{name}/")]
            assert len(arrays) == sum(len(net.weights) for net in getattr(model, name))
        assert not [path for path in files[-1] if "sampler" in path]
    assert files[0] == files[1]


def test_loaded_model_exports_the_same_sampler(tmp_path):
    model = trained(LAPGAN(generators(), discriminators(), ema_decay=0.5, seed=3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.sampler.export(tmp_path / "savedmodel", verbose=False)
    serve = tf.saved_model.load(str(tmp_path / "savedmodel")).signatures["serving_default"]
    assert list(serve.structured_input_signature[1]) == ["latents"]
    latents = model.generator_inputs(3, seed=4)
    (exported,) = serve(latents=latents).values()
    np.testing.assert_allclose(np.array(exported), np.array(model.sampler(latents)), atol=1e-6)


def test_one_level_is_a_plain_gan():
    model = trained(LAPGAN(generators(levels=1), discriminators(levels=1), seed=0))
    assert model.latent_shape == (LATENT_DIM,)
    assert model.generate(2, seed=0).shape == (2, *SHAPE)


def swapped(networks):
    return [networks[0], networks[2], networks[1]]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda g, d: (g[0], d), "`generators` must be a list"),
        (lambda g, d: (g, d[0]), "`discriminators` must be a list"),
        (lambda g, d: ([], []), "`generators` must be a list"),
        (lambda g, d: (g, ["D"] * 3), "`discriminators` must be a built keras.Model"),
        (lambda g, d: (g, d[:2]), "`discriminators` must be as many.*3.*Received: 2"),
        (lambda g, d: (swapped(g), swapped(d)), r"`generators\[1\]`.*twice.*\(4, 6, 3\)"),
        (lambda g, d: (g[:2][::-1], d[:2][::-1]), r"`generators\[0\]` must take noise"),
        (lambda g, d: (g, swapped(d)), r"`discriminators\[1\]` must take"),
        (lambda g, d: (g, [d[0], d[0], d[2]]), r"`discriminators\[1\]` must take"),
    ],
)
def test_bad_networks(make, match):
    with pytest.raises(ValueError, match=match):
        LAPGAN(*make(generators(), discriminators()))
