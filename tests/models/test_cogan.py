"""CoGAN: one step by hand, what is shared and stays so, pairs of one latent, what must fit."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import CoGAN, datasets, export
from keras_gans.cli import train as cli_train
from keras_gans.files import read_json
from keras_gans.images import to_uint8
from keras_gans.networks import (
    build_cogan_dense_discriminators,
    build_cogan_dense_generators,
    couple,
    shared_weights,
)
from keras_gans.optimizers import AdamL2
from keras_gans.runs.sampling import open_sampler, sample

SMALL = (4, 4, 1)


def dense_pairs(shape=harness.SHAPE, **settings):
    small = {"hidden": (8, 6), "seed": 1, **settings}
    return (
        build_cogan_dense_generators(shape, latent_dim=6, **small),
        build_cogan_dense_discriminators(shape, **small),
    )


def samples_of_a(model, num, seed):
    return model.generate(num, seed, port="a")


CASES = [
    dataclasses.replace(
        harness.case(
            CoGAN,
            dense_pairs,
            bad_arguments=[({"shared": None}, "shared"), ({"latent_prior": "cauchy"}, "prior")],
        ),
        sample=samples_of_a,
        inputs=lambda model, num, seed: model.generator_inputs(num, seed),
    )
]

ROLES = {"CoGAN": harness.Roles(contests=harness.LOGITS)}


@pytest.fixture(scope="module")
def trained():
    model = CoGAN(*dense_pairs(), ema_decay=0.9, seed=3)
    a, b = (np.random.default_rng(n).uniform(-1, 1, (16, *harness.SHAPE)) for n in (0, 1))
    model.fit((a.astype("float32"), b.astype("float32")), batch_size=8, verbose=0)
    return model


# The step, of networks that multiply: g1(z) = t p z and g2(z) = t q z, f1(x) = u r x, f2(x) = v r x


def factor(name, number):
    initializer = keras.initializers.Constant(number)
    return keras.layers.Dense(1, use_bias=False, kernel_initializer=initializer, name=name)


NUMBERS = {"t": 0.7, "p": 1.2, "q": -0.5, "u": 0.8, "v": -0.6, "r": 1.1}


def of_numbers(**settings):
    t, p, q, u, v, r = (factor(*pair) for pair in NUMBERS.items())
    latents, a, b = (keras.Input((1,), name=name) for name in ("z", "a", "b"))
    trunk = t(latents)
    generators = [keras.Model(latents, head(trunk)) for head in (p, q)]
    discriminators = [keras.Model(a, r(u(a))), keras.Model(b, r(v(b)))]
    return CoGAN(generators, discriminators, seed=1, **settings)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def discriminator_step(n, a, b, z, rate):
    """u, v and r after a step on -E log f(x) - E log(1 - f(g(z))), means over both domains."""

    def slopes(w, x, fake):
        """Of one domain, by w and r, of softplus(-r w x) + softplus(r w g)."""
        d_real, d_fake = sigmoid(n["r"] * w * x) - 1, sigmoid(n["r"] * w * fake)
        by_product = np.mean(d_real * x + d_fake * fake)
        return n["r"] * by_product, w * by_product

    of_u, of_r1 = slopes(n["u"], a, n["t"] * n["p"] * z)
    of_v, of_r2 = slopes(n["v"], b, n["t"] * n["q"] * z)
    changes = {"u": of_u / 2, "v": of_v / 2, "r": (of_r1 + of_r2) / 2}
    return {**n, **{name: n[name] - rate * change for name, change in changes.items()}}


def generator_step(n, z, rate):
    """t, p and q after a step on -E log f(g(z)), the mean over both domains."""

    def by_product(w, head):
        return np.mean((sigmoid(n["r"] * w * n["t"] * head * z) - 1) * n["r"] * w * z)

    of_a, of_b = by_product(n["u"], n["p"]), by_product(n["v"], n["q"])
    changes = {
        "t": (of_a * n["p"] + of_b * n["q"]) / 2,
        "p": of_a * n["t"] / 2,
        "q": of_b * n["t"] / 2,
    }
    return {**n, **{name: n[name] - rate * change for name, change in changes.items()}}


def test_step_by_hand():
    """D on both domains in one mean, with fakes of one z for both; then G, of another z."""
    model = harness.compile_sgd(of_numbers(), rate=0.5)
    drawn, draw = [], model.sample_latents
    model.sample_latents = lambda like: drawn.append(draw(like)) or drawn[-1]
    rng = np.random.default_rng(5)
    a, b = (rng.normal(mean, 1, (8, 1)).astype("float32") for mean in (1, -2))
    logs = model.train_step((tf.constant(a), tf.constant(b)))
    first, second = (np.array(z, "float64") for z in drawn)
    assert np.abs(first - second).max() > 0.1 and np.abs(first).max() <= 1  # U(-1, 1), afresh
    between = discriminator_step(NUMBERS, a, b, first, 0.5)
    expected = generator_step(between, second, 0.5)
    found = {w.path.split("/")[0]: float(np.ravel(w)[0]) for w in model.trainable_variables}
    assert found == pytest.approx(expected, rel=1e-5)

    def softplus(x):
        return np.logaddexp(0, x)

    n, z = NUMBERS, first
    fakes = (n["t"] * n["p"] * z, n["t"] * n["q"] * z)
    scores = [
        (n["r"] * w * x, n["r"] * w * g)
        for w, x, g in zip((n["u"], n["v"]), (a, b), fakes, strict=True)
    ]
    loss = np.mean([np.mean(softplus(-real) + softplus(fake)) for real, fake in scores])
    assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)
    n, z = between, second
    logits = [n["r"] * w * n["t"] * head * z for w, head in ((n["u"], n["p"]), (n["v"], n["q"]))]
    assert float(logs["generator_loss"]) == pytest.approx(np.mean(softplus(-np.array(logits))))


def test_paper_settings():
    settings = harness.optimizer_settings(of_numbers())
    for player in ("generator", "discriminator"):
        found = settings[player]
        assert (found["learning_rate"], found["beta_1"], found["beta_2"]) == (
            pytest.approx(2e-4),
            0.5,
            0.999,
        )
        assert found["l2"] == 5e-4
    assert isinstance(of_numbers().default_optimizers()["generator"], AdamL2)
    assert of_numbers().latent_prior == "uniform"
    recipe = CoGAN.recipe
    assert (recipe.batch_size, recipe.latent_dim) == (128, 100)
    assert recipe.dataset_b == f"{recipe.dataset}_edges"


# Sharing


def test_shared_weights_are_there_once():
    """t is trained by both heads, and no variable twice."""
    model = of_numbers()
    names = [[w.path.split("/")[0] for w in model.player_variables(p)] for p in model.players]
    assert sorted(names[0]) == ["r", "u", "v"] and sorted(names[1]) == ["p", "q", "t"]
    assert model.shared_parameters() == {"generators": 1, "discriminators": 1}
    a, b = (port.network for port in model.ports().values())
    model.generators.get_layer("t").kernel.assign([[0.0]])
    assert not np.any(a(np.ones((2, 1)))) and not np.any(b(np.ones((2, 1))))


def test_stays_shared_in_files_and_averages(trained, tmp_path):
    expected = trained.shared_parameters()
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.shared_parameters() == expected and len(loaded.variables) == len(
        trained.variables
    )
    for network in (loaded.generators, loaded.ema_generators, trained.ema_generators):
        assert sum(int(np.prod(w.shape)) for w in shared_weights(network)) == expected["generators"]
    for ours, theirs in zip(trained.generate(3, seed=1), loaded.generate(3, seed=1), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_networks_without_sharing():
    """Only when asked for: with two whole GANs, also of one file read twice."""
    apart = dense_pairs(SMALL, shared_layers=0)
    with pytest.raises(ValueError, match=r"`generators` must have layers in common.*shared=False"):
        CoGAN(*apart)
    mixed = (dense_pairs(SMALL)[0], apart[1])
    with pytest.raises(ValueError, match="`discriminators` must have layers in common"):
        CoGAN(*mixed)
    assert CoGAN(*mixed, shared=False).shared_parameters()["discriminators"] == 0
    copied = [(pair[0], keras.models.clone_model(pair[0])) for pair in apart]
    model = CoGAN(*copied, shared=False, seed=0)
    assert model.shared_parameters() == {"generators": 0, "discriminators": 0}
    assert len(model.generators.weights) == 2 * len(apart[0][0].weights)
    paper = CoGAN.from_paper((2,), shared=False, seed=0)
    assert paper.shared_parameters()["generators"] == 0 and paper.shared is False


def test_saved_without_sharing(tmp_path):
    model = CoGAN(*dense_pairs(SMALL, shared_layers=0), shared=False, seed=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.shared is False
    for ours, theirs in zip(model.generate(3, seed=1), loaded.generate(3, seed=1), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_copied_layers():
    """A copy of a network has none of its layers, though they have the same names."""
    generators, discriminators = dense_pairs(SMALL)
    copied = (generators[0], keras.models.clone_model(generators[1]))
    with pytest.raises(ValueError, match=r"`generators` must share layers.*in a copy.*Received"):
        CoGAN(copied, discriminators)
    copied = (discriminators[0], keras.models.clone_model(discriminators[1]))
    with pytest.raises(ValueError, match=r"`discriminators` must share layers.*in a copy"):
        CoGAN(generators, copied)


def test_half_copied_layers():
    """One layer is shared and the next one a copy."""
    latents, first = keras.Input((6,)), keras.layers.Dense(4)
    trunks = [keras.layers.Dense(5, name="second")(first(latents)) for _ in "ab"]
    pair = [keras.Model(latents, keras.layers.Dense(2)(trunk)) for trunk in trunks]
    with pytest.raises(ValueError, match=r"`generators` must share layers.*'second' of one"):
        CoGAN(pair, build_cogan_dense_discriminators((2,)))
    with pytest.raises(ValueError, match="'second' of one"):
        CoGAN(pair, build_cogan_dense_discriminators((2,)), shared=False)


def test_layers_shared_inside_of_nested_models():
    """They would be two layers when they are read."""
    latents, common = keras.Input((6,)), keras.layers.Dense(4)
    inner = [keras.Model(latents, common(latents)) for _ in "ab"]
    pair = [keras.Model(latents, keras.layers.Dense(2)(each(latents))) for each in inner]
    with pytest.raises(ValueError, match="`generators` must share whole layers"):
        CoGAN(pair, build_cogan_dense_discriminators((2,)))
    trunk = inner[0]  # the same model in both is one layer
    pair = [keras.Model(latents, keras.layers.Dense(2)(trunk(latents))) for _ in "ab"]
    assert len(shared_weights(couple("generators", pair, one_input=True))) == 2


def test_networks_with_inputs_of_their_own():
    """Sequential ones too: the common layers are called once for both, with the same results."""
    common = [keras.layers.Dense(5), keras.layers.BatchNormalization(momentum=0.5)]
    pair = [
        keras.Sequential([keras.Input((3,)), *common, keras.layers.Dense(size)]) for size in (2, 4)
    ]
    joined = couple("generators", pair, one_input=True)
    z = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    for made, network in zip(joined(z), pair, strict=True):
        np.testing.assert_allclose(made, network(z), atol=1e-6)
    joined(z, training=True)
    moved = 0.5 * np.array(common[0](z)).mean(0)  # one update of the moving mean, and not two
    np.testing.assert_allclose(common[1].moving_mean, moved, atol=1e-5)


@pytest.mark.parametrize(
    ("networks", "match"),
    [
        (lambda g, d: (g[0], d), r"`generators` must be a pair.*1 inputs and 1 outputs"),
        (lambda g, d: ((*g, g[0]), d), "`generators` must be a pair"),
        (lambda g, d: (("a", "b"), d), "`generators` must be a built keras.Model"),
        (lambda g, d: ((g[0], d[0]), d), r"latents of one length.*\(6,\) and \(4, 4, 1\)"),
        (
            lambda g, d: ((g[0], build_cogan_dense_generators(SMALL, latent_dim=5)[1]), d),
            r"`generators` must take latents of one length.*\(6,\) and \(5,\)",
        ),
        (
            lambda g, d: (g, dense_pairs((4, 4, 3))[1]),
            r"`discriminators\[0\]` must take samples .* that `generators\[0\]` makes",
        ),
    ],
)
def test_networks_that_do_not_fit(networks, match):
    generators, discriminators = dense_pairs(SMALL)
    with pytest.raises(ValueError, match=match):
        CoGAN(*networks(generators, discriminators))


# Pairs of one latent


def test_pairs():
    model = CoGAN(*dense_pairs(SMALL, other_shape=(4, 4, 3)), seed=0)
    a, b = model.generate(70, seed=4)
    assert a.shape == (70, 4, 4, 1) and b.shape == (70, 4, 4, 3) and a.dtype == b.dtype == "uint8"
    latents = model.generator_inputs(70, 4)
    made = [np.rint((np.array(x) + 1) * 127.5) for x in model(latents)]
    for ours, expected in zip((a, b), made, strict=True):
        assert np.abs(ours.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(model.generate(70, seed=4, port="b"), b)
    np.testing.assert_array_equal(model.ask("b", latents), b)
    first, second = model.interpolate(4, 5, steps=3)
    np.testing.assert_array_equal(first[0], a[0]), np.testing.assert_array_equal(second[0], b[0])
    np.testing.assert_array_equal(model.interpolate(4, 5, steps=3, port="b"), second)
    for port in ("c", "generate", 0):
        with pytest.raises(ValueError, match=r"`port` takes the names \['a', 'b'\]"):
            model.generate(1, port=port)
    assert [part.shape for part in model.data_spec()] == [SMALL, (4, 4, 3)]


@pytest.mark.slow
def test_pairs_out_of_a_savedmodel(trained, tmp_path):
    """`generate` and `generate_b` of one seed belong together, and so do those of the sampler."""
    path = export.savedmodel(trained, tmp_path / "served", verbose=False)
    held = tf.train.list_variables(str(path / "variables" / "variables"))
    sizes = sum(int(np.prod(shape)) for name, shape in held if name.startswith("weights"))
    assert sizes == trained.ema_generators.count_params()  # shared ones once
    card = read_json(path / "card.json")
    assert card["parameters"] == sizes and card["ports"]["b"]["beside"] is True
    served = tf.saved_model.load(str(path)).signatures
    expected = trained.generate(4, seed=9)
    given = {"num_images": tf.constant(4, tf.int64), "seed": tf.constant(9, tf.int64)}
    for name, pictures in zip(("generate", "generate_b"), expected, strict=True):
        np.testing.assert_array_equal(served[name](**given)["images"], pictures)
    one = served["sample_b"](seeds=tf.constant([9], tf.int64))["images"]
    np.testing.assert_array_equal(one, trained.generate(1, seed=9)[1])
    sampler = open_sampler(str(path.parent))
    for ours, pictures in zip(sample(sampler, 4, 9)[1], expected, strict=True):
        np.testing.assert_array_equal(ours, pictures)
    np.testing.assert_array_equal(sample(sampler, 4, 9, port="b")[1], expected[1])


@pytest.mark.parametrize("chosen", [{}, {"dataset": "mnist_5k", "dataset_b": "mnist_5k_negatives"}])
def test_data_without_pairs(chosen):
    """What `keras-gans train` loads: halves of the pictures, those of B transformed."""
    recipe, options = CoGAN.recipe, dict.fromkeys(cli_train.DATA_SETTINGS)
    default = {"dataset": recipe.dataset, "dataset_b": recipe.dataset_b, "seed": 0}
    settings = {**options, **default, **chosen, "batch_size": 100, "split": None}
    settings |= {"on_unreadable": "error", "crop": None, "flip": False}
    reals = [
        to_uint8(np.concatenate(side))
        for side in zip(*cli_train.load_data(CoGAN, settings), strict=True)
    ]
    transform = datasets.edges if not chosen else datasets.negatives
    transformed = {picture.tobytes() for picture in transform(reals[0])}
    seen = {picture.tobytes() for picture in reals[1]}
    assert len(seen) > 1900 and not seen & transformed
    whole = next(iter(datasets.load(settings["dataset"], batch_size=10_000)))
    assert seen <= {picture.tobytes() for picture in transform(to_uint8(whole))}
