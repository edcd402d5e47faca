"""CycleGAN: the paper's losses and settings by hand, the history, translating, what must fit."""

import dataclasses
import functools

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import CycleGAN
from keras_gans.networks import build_patchgan_discriminator, build_resnet_generator


def cyclegan_networks():
    """Without normalization: four networks in twelve calls are slow to trace."""
    small = {"width": 4, "normalization": None}
    return (
        *(
            build_resnet_generator(harness.SHAPE, num_blocks=1, seed=seed, **small)
            for seed in (1, 2)
        ),
        *(
            build_patchgan_discriminator(harness.SHAPE, num_layers=1, seed=seed, **small)
            for seed in (3, 4)
        ),
    )


CASES = [
    dataclasses.replace(
        harness.case(
            CycleGAN,
            cyclegan_networks,
            buffer_size=12,  # full in the second step
            cycle_weight=1.0,  # the gradient of |x - y| jumps, where rounding alone can cross it
            bad_arguments=[
                ({"cycle_weight": 0}, "cycle_weight"),
                ({"identity_weight": -1}, "identity_weight"),
                ({"buffer_size": 0}, "buffer_size"),
                ({"total_steps": 0}, "total_steps"),
            ],
        ),
        **harness.TRANSLATES,
    ),
]

ROLES = {
    "CycleGAN": harness.Roles(contests=harness.LOGITS, loss_terms=("cycle_loss", "identity_loss"))
}

SHAPE, GREY = (12, 16, 3), (12, 16, 1)


def networks(shape_a=SHAPE, shape_b=SHAPE):
    small = {"width": 2, "normalization": None}
    generator = functools.partial(build_resnet_generator, num_blocks=1, **small)
    discriminator = functools.partial(build_patchgan_discriminator, num_layers=1, **small)
    return {
        "generator_a_to_b": generator(shape_a, channels=shape_b[2], seed=1),
        "generator_b_to_a": generator(shape_b, channels=shape_a[2], seed=2),
        "discriminator_a": discriminator(shape_a, seed=3),
        "discriminator_b": discriminator(shape_b, seed=4),
    }


def cyclegan(shape_a=SHAPE, shape_b=SHAPE, **kwargs):
    kwargs = {"buffer_size": 6, "seed": 5, **kwargs}
    return CycleGAN(**networks(shape_a, shape_b), **kwargs)


def pictures(num, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (num, *shape)).astype("float32")


def uint8(x):
    return np.rint((x + 1) * 127.5).astype("uint8")


# The step of networks that multiply: G(a) = g a, F(b) = f b, D_A(x) = p x, D_B(x) = q x


def multiplier(number):
    layer = keras.layers.Conv2D(
        1, 1, use_bias=False, kernel_initializer=keras.initializers.Constant(number)
    )
    return keras.Sequential([keras.Input((4, 4, 1)), layer])


def step_by_hand(a, b, g, f, p, q, rate, weight, share, history_a=None, history_b=None):
    """The numbers after one step of SGD: first both generators, then both discriminators.

    dL_G/dg of E[(q g a - 1)^2] + w (E|f g a - a| + E|g f b - b|) + m w E|g b - b|, and
    dL_D/dp of 1/2 E[(p a - 1)^2] + 1/2 E[(p h)^2] with h = f b of before the step, or older.
    """

    def of_generator(g, f, a, b, q):
        adversarial = np.mean(2 * (q * g * a - 1) * q * a)
        cycle = np.mean(np.sign(f * g * a - a) * f * a) + np.mean(np.sign(g * f * b - b) * f * b)
        identity = np.mean(np.sign(g * b - b) * b)
        return adversarial + weight * cycle + share * weight * identity

    def of_discriminator(p, reals, fakes):
        return np.mean((p * reals - 1) * reals) + np.mean(p * fakes**2)

    history_a = f * b if history_a is None else history_a
    history_b = g * a if history_b is None else history_b
    return (
        g - rate * of_generator(g, f, a, b, q),
        f - rate * of_generator(f, g, b, a, p),
        p - rate * of_discriminator(p, a, history_a),
        q - rate * of_discriminator(q, b, history_b),
    )


NUMBERS = (1.3, 0.6, 0.8, -0.4)


def of_numbers(**settings):
    return CycleGAN(*map(multiplier, NUMBERS), seed=1, **settings)


def step_of_model(a, b, rate, prepare=lambda model: None, **settings):
    model = harness.compile_sgd(of_numbers(**settings), rate=rate)
    prepare(model)
    data = tf.data.Dataset.from_tensors((a, b))
    logs = model.fit(data, verbose=0, steps_per_epoch=1).history
    return [float(np.ravel(v)[0]) for v in model.trainable_variables], logs


@pytest.mark.parametrize("settings", [{}, {"cycle_weight": 3.0, "identity_weight": 0}], ids=str)
def test_formulas(settings):
    a, b = pictures(6, (4, 4, 1), 0), pictures(6, (4, 4, 1), 1)
    after, logs = step_of_model(a, b, 0.1, **settings)
    weight, share = settings.get("cycle_weight", 10), settings.get("identity_weight", 0.5)
    expected = step_by_hand(a, b, *NUMBERS, 0.1, weight, share)
    np.testing.assert_allclose(after, expected, rtol=1e-4)
    g, f, p, q = NUMBERS
    cycle = np.mean(np.abs(f * g * a - a)) + np.mean(np.abs(g * f * b - b))
    identity = (np.mean(np.abs(g * b - b)) + np.mean(np.abs(f * a - a))) * bool(share)
    adversarial = np.mean((q * g * a - 1) ** 2) + np.mean((p * f * b - 1) ** 2)
    judged = [(p * a - 1) ** 2, (p * f * b) ** 2, (q * b - 1) ** 2, (q * g * a) ** 2]
    assert logs["cycle_loss"] == pytest.approx([cycle], rel=1e-5)
    assert logs["identity_loss"] == pytest.approx([identity], rel=1e-5)
    total = adversarial + weight * cycle + share * weight * identity
    assert logs["generator_loss"] == pytest.approx([total], rel=1e-5)
    assert logs["discriminator_loss"] == pytest.approx([np.mean(judged) * 2], rel=1e-5)


def test_history_is_for_the_discriminators_alone():
    """With full buffers of known pictures: they are judged in D's loss, and in G's never."""
    a, b = pictures(6, (4, 4, 1), 0), pictures(6, (4, 4, 1), 1)
    old = pictures(8, (4, 4, 1), 2)

    def fill(model):
        for buffer in (model.buffer_a, model.buffer_b):
            buffer.images.assign(old)
            buffer.count.assign(8)

    models = []
    after, _ = step_of_model(a, b, 0.1, lambda m: (fill(m), models.append(m)), buffer_size=8)
    g, f, *_ = NUMBERS
    seen = []
    for buffer, fakes in ((models[0].buffer_a, f * b), (models[0].buffer_b, g * a)):
        stored = np.array(buffer.images)
        went = np.array([np.abs(stored - picture).max((1, 2, 3)).min() > 1e-6 for picture in old])
        came = np.array([np.abs(stored - picture).max((1, 2, 3)).min() < 1e-6 for picture in fakes])
        assert went.sum() == came.sum()
        seen.append(np.concatenate([fakes[~came], old[went]]))
    assert sum(len(x) for x in seen) == 12 and models[0].buffer_a.seed != models[0].buffer_b.seed
    assert any(np.abs(x - y).max() > 0.1 for x, y in zip(seen, (f * b, g * a), strict=True))
    expected = step_by_hand(a, b, *NUMBERS, 0.1, 10, 0.5, *seen)
    np.testing.assert_allclose(after, expected, rtol=1e-4)


def test_paper_defaults():
    names = ("cycle_weight", "identity_weight", "buffer_size", "total_steps")
    defaults = of_numbers()
    assert [getattr(defaults, name) for name in names] == [10, 0.5, 50, 200 * 1334]
    assert defaults.buffer_a.size == defaults.buffer_b.size == 50
    model = of_numbers(total_steps=100)
    model.compile()
    assert model.generator_optimizer is not model.discriminator_optimizer
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is keras.optimizers.Adam and optimizer.beta_1 == 0.5
        for step, rate in ((0, 2e-4), (50, 2e-4), (75, 1e-4), (100, 0)):
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-5, abs=1e-10)


def test_history_is_saved(tmp_path):
    model = harness.compile_sgd(of_numbers(buffer_size=6))
    model.fit((pictures(8, (4, 4, 1)), pictures(8, (4, 4, 1), 1)), batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name in ("buffer_a", "buffer_b"):
        ours, theirs = getattr(model, name), getattr(loaded, name)
        assert int(theirs.count) == 6 and np.abs(theirs.images).max() > 0
        np.testing.assert_array_equal(theirs.images, ours.images)
        np.testing.assert_array_equal(theirs.random_state.state, ours.random_state.state)


def test_xla():
    """While the buffers fill, since XLA draws other random numbers."""
    data = tf.data.Dataset.from_tensors((pictures(4, (4, 4, 1)), pictures(4, (4, 4, 1), 1)))
    models = []
    for jit_compile in (False, True):
        models.append(harness.compile_sgd(of_numbers(), jit_compile=jit_compile))
        models[-1].fit(data, verbose=0, steps_per_epoch=3)
    harness.assert_close(*map(harness.state, models), 1e-5)


# Translating


def test_translate():
    """uint8 or float in, uint8 out, either way, in chunks; as the generators alone do it."""
    model = cyclegan()
    x = uint8(pictures(11))
    for to, network in (("b", model.generator_a_to_b), ("a", model.generator_b_to_a)):
        expected = uint8(network(x / np.float32(127.5) - 1).numpy())
        made = model.translate(x, to=to)
        assert made.dtype == np.uint8 and made.shape == (11, *SHAPE)
        assert np.abs(made.astype(int) - expected).max() <= 1
        floats = model.translate((x / 127.5 - 1).astype("float32"), to=to)
        np.testing.assert_array_equal(floats, made)
    assert (model.translate(x) == model.translate(x, to="b")).all()
    assert (model.translate(x, to="a") != model.translate(x, to="b")).any()
    bright = np.full((1, *SHAPE), 250, "uint8")  # all above 0 as floats, which is no [0, 1]
    assert model.translate(bright).shape == (1, *SHAPE)


def test_averaged_generators_translate():
    model, x = cyclegan(ema_decay=0.9), pictures(2)
    before = model.translate(x)
    model.generator_a_to_b.set_weights([10 * w for w in model.generator_a_to_b.get_weights()])
    np.testing.assert_array_equal(model.translate(x), before)
    assert model.sampler is model.ema_generator_a_to_b
    assert (uint8(model(x).numpy()) != before).any()


def test_translation_grid():
    """Rows A, G(A), F(G(A)) and B, F(B), G(F(B)), with no rounding between the generators."""
    model, a, b = cyclegan(), pictures(3), pictures(3, seed=1)
    to_b, to_a = model.generator_a_to_b, model.generator_b_to_a
    rows = [a, to_b(a), to_a(to_b(a)), b, to_a(b), to_b(to_a(b))]
    expected = np.concatenate([uint8(np.array(row)) for row in rows])
    grid = model.translation_grid(a, b)
    assert grid.dtype == np.uint8 and grid.shape == (18, *SHAPE)
    assert np.abs(grid.astype(int) - expected).max() <= 1


def test_grid_of_a_dataset():
    model, a, b = cyclegan(), pictures(9), pictures(9, seed=1)
    dataset = tf.data.Dataset.from_tensor_slices((a, b)).batch(2)
    draw, columns = model.grid_of(dataset, num=5)
    assert columns == 5
    np.testing.assert_array_equal(draw(model), model.translation_grid(uint8(a[:5]), uint8(b[:5])))


def test_sets_with_other_channels():
    """From colour to grey and back; the grids are in colour."""
    model = harness.compile_sgd(cyclegan(SHAPE, GREY, identity_weight=0))
    a, b = pictures(4), pictures(4, GREY, 1)
    model.fit((a, b), batch_size=2, verbose=0)
    assert model.translate(a).shape == (4, *GREY)
    assert model.translate(b, to="a").shape == (4, *SHAPE)
    grid = model.translation_grid(a[:2], b[:2])
    assert grid.shape == (12, *SHAPE)
    assert (grid[2:4] == grid[2:4, :, :, :1]).all() and (grid[6:8] == grid[6:8, :, :, :1]).all()
    assert [part.shape for part in model.data_spec()] == [SHAPE, GREY]


@pytest.mark.parametrize("num", [None, 5])
def test_generate_says_what_to_use(num):
    with pytest.raises(ValueError, match=r"CycleGAN makes pictures out of pictures.*`translate"):
        cyclegan().generate(num, seed=0)


def test_bad_pictures():
    model, x = cyclegan(), pictures(2)
    for bad, match in (
        (x[..., :1], "shape"),
        (uint8(x)[..., :1], "shape"),
        (x[0], "batches"),
        (100 * x, r"\[-1, 1\]"),
        (x * np.nan, "finite"),
        (uint8(x).astype("int32"), "float32"),
        (x[:0], "at least one"),
    ):
        with pytest.raises(ValueError, match=rf"`pictures` must .*{match}"):
            model.translate(bad)
    for to in ("c", "A", None, 1):
        with pytest.raises(ValueError, match=r"`to` takes the names \['a', 'b'\].*Received"):
            model.translate(x, to=to)


# What must fit


@pytest.mark.parametrize(
    ("other", "maker"),
    [
        ("generator_b_to_a", "generator_a_to_b"),
        ("discriminator_a", "generator_b_to_a"),
        ("discriminator_b", "generator_a_to_b"),
    ],
)
def test_networks_that_do_not_fit(other, maker):
    given = networks()
    given[other] = networks(GREY, GREY)[other]
    with pytest.raises(ValueError, match=rf"`{other}` must take samples .* that `{maker}` makes"):
        CycleGAN(**given)


def test_generator_that_does_not_fit():
    given = {**networks(), "generator_a_to_b": build_resnet_generator(GREY, channels=3, width=2)}
    with pytest.raises(ValueError, match=r"`generator_a_to_b` must .* `generator_b_to_a` makes"):
        CycleGAN(**given)


def test_identity_needs_one_shape():
    with pytest.raises(ValueError, match=r"`identity_weight` must be 0 where A and B differ.*0\.5"):
        cyclegan(SHAPE, GREY)


def test_batch_larger_than_the_history():
    model = harness.compile_sgd(of_numbers(buffer_size=3))
    before, x = harness.state(model), pictures(8, (4, 4, 1))
    with pytest.raises(ValueError, match=r"`size` of an ImageBuffer must be .*3 for a batch of 4"):
        model.fit((x, x), batch_size=4, verbose=0)
    harness.assert_close(harness.state(model), before, 0)
