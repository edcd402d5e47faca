"""The training base: each trap of Keras and TensorFlow that it takes care of, and its contract."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import BY_NAME
from harness import assert_close, compile_sgd, state
from keras import tree

import keras_gans
from keras_gans import CGAN, GAN, WGAN, WGANGP, AdversarialModel
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training import kinds, pipeline
from keras_gans.training.ports import main_port


def networks(hidden=(8,)):
    return build_mlp_generator((2,), 3, hidden, seed=1), build_mlp_discriminator((2,), (8,), seed=2)


def points(num, seed=0):
    return np.random.default_rng(seed).normal(size=(num, 2)).astype("float32")


def dataset(num, batch=4):
    return tf.data.Dataset.from_tensor_slices(points(num)).batch(batch)


class OnePlayer(AdversarialModel):
    """What a test needs of a model around its `train_step`."""

    players = {"generator": ("generator",)}
    averaged = ()

    def default_optimizers(self):
        return {"generator": keras.optimizers.SGD(0.1)}


# 1. Gradients are summed over replicas.


def test_one_sgd_step_is_the_mean_gradient_of_the_global_batch(two_replicas):
    """Least squares by hand: w <- w - rate * d/dw mean((w.x - 1)^2)."""

    @keras.saving.register_keras_serializable("tests")
    class Regression(OnePlayer):
        def train_step(self, data):
            (reals,) = self.minibatches(data, 1)
            with self.update("generator") as losses:
                losses["generator"] = tf.reduce_mean((self.generator(reals)[:, :1] - 1.0) ** 2)
            return self.logs()

    def build():
        linear = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
        linear.layers[0].kernel.assign([[0.5, 0.0], [-1.0, 0.0]])
        return Regression(generator=linear)

    x = points(8)
    w = np.array([0.5, -1.0])
    expected = w - 0.1 * 2 * ((x @ w - 1)[:, None] * x).mean(0)
    one = build()
    with two_replicas.scope():
        two = build()
    for model in (one, two):
        model.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
        kernel = np.array(model.generator.layers[0].kernel)
        np.testing.assert_allclose(kernel[:, 0], expected, atol=1e-6)


# 2. Every replica draws the same random numbers.


def test_replicas_draw_different_rows_of_what_one_device_draws(two_replicas):
    one = WGANGP(*networks(), seed=4)
    with two_replicas.scope():
        two = WGANGP(*networks(), seed=4)

    def draw(model, like):
        return model.sample_latents(like), model.random_uniform(like)

    expected = draw(one, tf.zeros((6, 2)))
    drawn = two_replicas.run(tf.function(draw), args=(two, tf.zeros((3, 2))))
    for values, whole in zip(drawn, expected, strict=True):
        first, second = (np.array(v) for v in two_replicas.experimental_local_results(values))
        assert (first != second).all()
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)


def test_draws_differ_and_are_saved(tmp_path):
    model = GAN(*networks(), seed=4)
    first, second = (np.array(model.sample_latents(tf.zeros((5, 1)))) for _ in range(2))
    assert (first != second).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for either in (model, loaded):
        third = np.array(either.sample_latents(tf.zeros((5, 1))))
        assert (third != first).all()
    np.testing.assert_array_equal(
        model.sample_latents(tf.zeros((5, 1))), loaded.sample_latents(tf.zeros((5, 1)))
    )


# 3. Fresh minibatches for every critic step.


@pytest.mark.parametrize("batches", [5, 7])
def test_critic_sees_n_critic_different_minibatches(batches):
    model = compile_sgd(WGAN(*networks(), n_critic=5), run_eagerly=True)
    seen, critic = [], model.critic.call
    model.critic.call = lambda x, **kw: seen.append(np.array(x)) or critic(x, **kw)
    reals = points(4 * batches)
    model.fit(tf.data.Dataset.from_tensor_slices(reals).batch(4), verbose=0, steps_per_epoch=1)
    assert len(seen) == 11  # 5 pairs of reals and fakes, and the generator's fakes
    rows = np.concatenate([batch for batch in seen[:10:2]])
    assert [batch.shape for batch in seen] == [(4, 2)] * 11
    assert len(np.unique(rows, axis=0)) == 20
    np.testing.assert_array_equal(np.unique(rows, axis=0), np.unique(reals[:20], axis=0))


def test_minibatches_are_strided():
    model = WGAN(*networks(), n_critic=2)
    rows = tf.reshape(tf.range(12.0), (6, 2))
    first, second = model.minibatches(rows, 2)
    np.testing.assert_array_equal(first[:, 0], [0, 4, 8])
    np.testing.assert_array_equal(second[:, 0], [2, 6, 10])
    with pytest.raises(ValueError, match="multiple of 5"):
        model.minibatches(rows, 5)
    with pytest.raises(ValueError, match="multiple of 12"):
        model.minibatches(rows, 12)


# 5. Optimizers are built, and their state is saved.


def test_weights_file_restores_every_optimizer_and_the_draws(tmp_path):
    def build():
        model = WGANGP(*networks(), ema_decay=0.9, seed=4)
        model.compile()
        return model

    trained = build()
    trained.fit(dataset(40), verbose=0)
    trained.save_weights(tmp_path / "gan.weights.h5")
    restored = build()
    assert trained.optimizer is trained.generator_optimizer
    assert all(restored.optimizer_of(player).built for player in restored.players)
    restored.load_weights(tmp_path / "gan.weights.h5")
    assert int(restored.critic_optimizer.iterations) == 10
    assert_close(state(restored), state(trained), 0)


def test_optimizers_made_outside_of_the_scope_train(two_replicas):
    with two_replicas.scope():
        model = GAN(*networks())
    sgd = {f"{player}_optimizer": keras.optimizers.SGD(0.1) for player in model.players}
    model.compile(**sgd)
    model.fit(dataset(8), verbose=0)
    assert np.array(model.generator_optimizer.iterations) == 2


# 6. The model counts as built.


def test_fit_under_a_strategy_does_not_call_the_model_on_reals(two_replicas):
    with two_replicas.scope():
        model = compile_sgd(GAN(*networks()))
    assert model.built
    model.call = lambda *args, **kwargs: pytest.fail("the generator was called on reals")
    model.fit(dataset(8), verbose=0)


def test_a_strategy_takes_no_batch_from_a_shuffled_dataset(two_replicas):
    """A dataset that shuffles anew for each iterator gives any number of devices one order."""
    one = compile_sgd(GAN(*networks(), seed=4))
    with two_replicas.scope():
        two = compile_sgd(GAN(*networks(), seed=4))
    for model in (one, two):
        shuffled = tf.data.Dataset.from_tensor_slices(points(32)).shuffle(32, seed=1).batch(4)
        model.fit(shuffled, steps_per_epoch=3, verbose=0)
    assert_close(state(two), state(one), 1e-5)


# 7. Scalar logs under several workers: see `test_distribution.py`.

# 8. XLA: off on CPUs unless asked for, and inside the replica's step.


def test_xla_is_off_on_cpus_and_agrees_where_asked_for():
    plain, compiled = GAN(*networks(), seed=4), GAN(*networks(), seed=4)
    compile_sgd(plain)
    compile_sgd(compiled, jit_compile=True)
    assert plain.jit_compile is False
    assert compiled.jit_compile is True
    for model in (plain, compiled):
        # XLA turns the same random bits into other normal numbers.
        model.sample_latents = lambda like: tf.reshape(tf.linspace(-1.0, 1.0, 12), (4, 3))
        model.fit(dataset(16), verbose=0, steps_per_epoch=4)
    weights = [[np.array(v) for v in model.trainable_variables] for model in (compiled, plain)]
    assert_close(*weights, 1e-5)


def test_xla_is_inside_the_replicas_step():
    """Keras puts it around `strategy.run`, where it fails; here it must be off, and inside on."""
    model = compile_sgd(GAN(*networks()), jit_compile=True)
    make_function, seen = model._make_function, []

    def spy(step):
        seen.append((step, model.jit_compile))
        return make_function(step)

    model._make_function = spy
    model.fit(dataset(8), verbose=0, steps_per_epoch=1)
    ((step, outside),) = seen
    assert outside is False
    graph = tf.function(step, autograph=False).get_concrete_function(tf.zeros((4, 2))).graph
    assert any("_XlaMustCompile" in op.node_def.attr for op in graph.get_operations())


def test_xla_under_cpu_replicas_is_off_and_refused(two_replicas):
    with two_replicas.scope():
        model = compile_sgd(GAN(*networks()))
        assert model.jit_compile is False
        model.fit(dataset(8), verbose=0)
        with pytest.raises(ValueError, match="jit_compile"):
            model.compile(jit_compile=True)
    with pytest.raises(ValueError, match="jit_compile"):
        model.compile(jit_compile="yes")
    with pytest.raises(ValueError, match="run_eagerly"):
        GAN(*networks()).compile(jit_compile=True, run_eagerly=True)


# The end of the data.


@pytest.mark.parametrize("replicas", [1, 2])
def test_nothing_runs_at_the_end_of_the_data(replicas, two_replicas):
    """A dataset of unknown length ends in a step without data, which must leave no trace."""
    strategy = two_replicas if replicas == 2 else tf.distribute.get_strategy()
    with strategy.scope():
        model = compile_sgd(GAN(*networks(), seed=4))
    data = dataset(12).filter(lambda batch: True)
    assert data.cardinality() == tf.data.UNKNOWN_CARDINALITY
    model.fit(data, epochs=2, verbose=0)
    assert np.array(model.generator_optimizer.iterations) == 6
    np.testing.assert_array_equal(model.random_state.state, [4, 12])


# The contract of a train step.


class Duel(AdversarialModel):
    """Two players on one product a * b: each loss and each update is known by hand."""

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    reported = ("product",)

    def default_optimizers(self):
        return {player: keras.optimizers.SGD(0.1) for player in self.players}

    def values(self):
        return [tf.reduce_sum(net(tf.ones((1, 1)))) for net in (self.discriminator, self.generator)]

    def train_step(self, data):
        if self.simultaneous:
            with self.update("discriminator", "generator") as losses:
                a, b = self.values()
                losses["discriminator"], losses["generator"] = -a * b, a * b
        else:
            with self.update("discriminator") as losses:
                a, b = self.values()
                losses["discriminator"] = -a * b
            with self.update("generator") as losses:
                a, b = self.values()
                losses["generator"] = a * b
        self.report(product=a * b)
        return self.logs()


def duel(simultaneous=False, **kwargs):
    def scalar(value):
        net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        net.layers[0].kernel.assign([[value]])
        return net

    model = Duel(discriminator=scalar(2.0), generator=scalar(3.0), **kwargs)
    model.simultaneous = simultaneous
    model.compile()
    return model


def test_alternating_and_simultaneous_updates_by_hand():
    """a += 0.1 b and b -= 0.1 a; one after the other uses the new a."""
    model = duel()
    logs = model.train_step(tf.zeros((1, 1)))
    assert float(model.discriminator.layers[0].kernel[0, 0]) == pytest.approx(2.3)
    assert float(model.generator.layers[0].kernel[0, 0]) == pytest.approx(3 - 0.23)
    assert float(logs["discriminator_loss"]) == pytest.approx(-6)
    assert float(logs["generator_loss"]) == pytest.approx(6.9)

    model = duel(simultaneous=True)
    model.train_step(tf.zeros((1, 1)))
    assert float(model.discriminator.layers[0].kernel[0, 0]) == pytest.approx(2.3)
    assert float(model.generator.layers[0].kernel[0, 0]) == pytest.approx(3 - 0.2)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_sparse_gradients_and_unused_weights_by_hand(run_eagerly):
    """Rows of an embedding; w <- w - rate * d/dw mean((row of x - 1)^2), and no other row moves."""

    class Rows(OnePlayer):
        def train_step(self, data):
            (reals,) = self.minibatches(data, 1)
            with self.update("generator") as losses:
                rows, _ = self.generator(tf.cast(reals[:, :1] > 0, "int32"))
                losses["generator"] = tf.reduce_mean((rows - 1.0) ** 2)
            return self.logs()

    places = keras.Input((1,), dtype="int32")
    rows = keras.layers.Embedding(3, 2)(places)
    network = keras.Model(places, [rows, keras.layers.Dense(1)(rows)])
    before = [np.array(weight) for weight in network.weights]
    model = Rows(generator=network)
    model.data_spec = lambda: (kinds.Points("reals", (2,)),)
    model.compile(run_eagerly=run_eagerly)
    x = np.array([[0.5, 0], [-0.5, 0], [1.5, 0], [0.7, 0]], "float32")
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(tf.data.Dataset.from_tensors(x), verbose=0, steps_per_epoch=1)
    share = np.array([1 / 4, 3 / 4, 0])[:, None]
    expected = before[0] - 0.1 * share * (before[0] - 1)
    np.testing.assert_allclose(network.weights[0], expected, atol=1e-6)
    for weight, same in zip(network.weights[1:], before[1:], strict=True):
        np.testing.assert_array_equal(weight, same)


def test_sparse_gradients_stay_sparse():
    sparse = tf.IndexedSlices(tf.ones((2, 3)), tf.constant([4, 1]), tf.constant([5, 3]))
    values, losses = pipeline.all_at_once(([sparse, None, tf.ones(2)], {"generator": tf.ones(())}))
    assert isinstance(values[0], tf.IndexedSlices) and values[1] is None
    np.testing.assert_array_equal(tf.convert_to_tensor(values[0]), tf.convert_to_tensor(sparse))
    np.testing.assert_array_equal(values[2], [1, 1])
    assert float(losses["generator"]) == 1


def test_averaged_generator_by_hand():
    """The first update has the decay 1 / 10: after 3 -> 2.77 it is 0.1 * 3 + 0.9 * 2.77."""
    model = duel(ema_decay=0.9)
    model.train_step(tf.zeros((1, 1)))
    assert float(model.ema_generator.layers[0].kernel[0, 0]) == pytest.approx(2.793)
    assert not model.ema_generator.trainable_variables
    np.testing.assert_allclose(model.generate(1, seed=0), 0 * model.generate(1, seed=0), atol=20)


def test_generate_uses_the_averaged_generator():
    model = GAN(*networks(), ema_decay=0.9, seed=1)
    plain = model(model.generator_inputs(3, 0))
    np.testing.assert_allclose(model.generate(3, seed=0), plain, atol=1e-6)
    for weight in model.ema_generator.variables:
        weight.assign(weight * 0.0)
    np.testing.assert_array_equal(model.generate(3, seed=0), np.zeros((3, 2)))


def labelled_generator(shape, dtype):
    latents, labels = keras.Input((3,)), keras.Input(shape, dtype=dtype)
    code = keras.layers.Reshape((4,))(keras.layers.Embedding(3, 4)(labels))
    inputs = keras.layers.Concatenate()([latents, code])
    return keras.Model([latents, labels], keras.layers.Dense(2)(inputs))


@pytest.mark.parametrize("shape, dtype", [((1,), "int32"), ((), "int64"), ((), "uint8")])
def test_generate_with_labels_of_other_shapes_and_types(shape, dtype):
    generator, labels = labelled_generator(shape, dtype), [2, 0, 1, 1]
    critic = build_mlp_discriminator((2,), (8,), num_classes=3)
    model = CGAN(generator, critic, num_classes=3, seed=1)
    latents, _ = model.generator_inputs(4, 0)
    rows = np.reshape(np.array(labels, dtype), (4, *shape))
    expected = np.array(generator([np.array(latents), rows]))
    np.testing.assert_allclose(model.generate(4, seed=0, labels=labels), expected, atol=1e-6)


@pytest.mark.parametrize("latents", [keras.Input((3,), dtype="float16"), keras.Input((3,), 2)])
def test_generate_with_latents_of_other_types_and_a_fixed_batch(latents):
    generator = keras.Model(latents, keras.layers.Dense(2)(latents))
    model = GAN(generator, networks()[1], seed=1)
    expected = np.array(generator(model.generator_inputs(70, 0)))
    np.testing.assert_allclose(model.generate(70, seed=0), expected, atol=1e-6)


def test_generate_follows_the_generator(tmp_path):
    """Its graph is kept, but not past another generator or other weights."""
    model, other = GAN(*networks(), seed=1), GAN(*networks(), seed=1)
    before = model.generate(3, seed=0)
    (graph,) = model.__dict__["_graphs"].values()
    other.generator.set_weights([2 * w + 1 for w in other.generator.get_weights()])
    expected = other.generate(3, seed=0)
    assert (before != expected).any()
    other.save_weights(tmp_path / "other.weights.h5")
    model.load_weights(tmp_path / "other.weights.h5")
    np.testing.assert_array_equal(model.generate(3, seed=0), expected)
    model.generate(5, seed=0)
    assert list(model.__dict__["_graphs"].values()) == [graph]
    model.generator = networks()[0]
    np.testing.assert_array_equal(model.generate(3, seed=0), before)


def test_update_wants_one_scalar_loss_for_each_player():
    model = duel()
    with pytest.raises(ValueError, match="one loss for each"), model.update("generator"):
        pass
    with pytest.raises(ValueError, match="one loss for each"), model.update("generator") as losses:
        losses["discriminator"] = losses["generator"] = tf.constant(1.0)
    with pytest.raises(ValueError, match="scalar"), model.update("generator") as losses:
        losses["generator"] = model.generator(tf.ones((2, 1)))
    with pytest.raises(ValueError, match="report"):
        model.report(produkt=1.0)


class Declared(Duel):
    reported = ("product", "r1")
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    penalties = {"r1": "discriminator"}
    loss_terms = ("product",)


def test_roles_that_are_declared_and_not():
    nets = {"generator": networks()[0], "discriminator": networks()[1]}
    silent, model = Duel(**nets), Declared(**nets)
    assert (silent.judges, silent.makers) == ((), ("discriminator", "generator"))
    assert (silent.contests, silent.penalties, silent.loss_terms) == ({}, {}, ())
    assert model.makers == ("generator",)


@pytest.mark.parametrize(
    "attribute, value, message",
    [
        ("judges", ("critic",), r"be among `players`, \['discriminator', 'generator'\].*'critic'"),
        ("judges", "discriminator", "be a tuple of names.*'discriminator'"),
        ("makers", ("forger",), "be among `players`.*'forger'"),
        ("penalties", ("r1",), r"be a dictionary. Received: \('r1',\)"),
        ("penalties", {"r2": "discriminator"}, r"`reported` as keys, \['product', 'r1'\].*'r2'"),
        ("penalties", {"r1": "critic"}, "have `players` as values.*'critic'"),
        ("loss_terms", ("cycle",), r"in `reported` and no `penalties`, \['product'\].*'cycle'"),
        ("loss_terms", ("product", "r1"), "in `reported` and no `penalties`.*'r1'"),
        ("loss_terms", "product", "be a tuple of names.*'product'"),
        ("contests", {"critic_loss": "generator_loss"}, "losses of `judges` as keys.*'critic_l"),
        ("contests", {"generator_loss": "product"}, "losses of `judges` as keys.*'generator_l"),
        ("contests", {"product": "discriminator_loss"}, "losses of `makers` as values.*'discrim"),
        ("contests", {"r1": "generator_loss"}, r"\['discriminator_loss', 'product'\].*'r1'"),
        ("contests", ("discriminator_loss",), "be a dictionary.*discriminator_loss"),
    ],
)
def test_roles_must_be_of_what_there_is(attribute, value, message):
    wrong = type("Wrong", (Declared,), {attribute: value})
    generator, discriminator = networks()
    with pytest.raises(ValueError, match=f"`{attribute}` of Wrong must .*{message}"):
        wrong(generator=generator, discriminator=discriminator)


def test_a_contest_needs_a_judge():
    wrong = type("Wrong", (Declared,), {"judges": (), "contests": {"product": "generator_loss"}})
    generator, discriminator = networks()
    with pytest.raises(ValueError, match=r"`contests` of Wrong .* `judges` as keys, \[\]"):
        wrong(generator=generator, discriminator=discriminator)


def test_compile_arguments():
    model = GAN(*networks())
    model.compile(generator_optimizer="sgd")
    assert isinstance(model.generator_optimizer, keras.optimizers.SGD)
    assert model.generator_optimizer is not model.discriminator_optimizer
    with pytest.raises(ValueError, match=r"discriminator_optimizer.*generator_optimizer"):
        model.compile(optimizer="adam")


def test_networks_must_be_built_models():
    generator, discriminator = networks()
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="discriminator"):
        GAN(generator, unbuilt)
    with pytest.raises(ValueError, match="generator"):
        GAN(lambda z: z, discriminator)
    with pytest.raises(ValueError, match="shape"):
        GAN(generator, build_mlp_discriminator((3,), (8,)))


def test_fit_takes_arrays_and_refuses_what_it_cannot_use():
    model = GAN(*networks())
    history = model.fit(points(70), epochs=2, verbose=0, batch_size=32)
    assert int(model.generator_optimizer.iterations) == 4
    assert len(history.history["images_per_second"]) == 2
    with pytest.raises(TypeError, match="validation_data"):
        model.fit(points(8), validation_data=points(8))
    with pytest.raises(ValueError, match="steps_per_epoch"):
        model.fit(dataset(8), steps_per_epoch=0)
    with pytest.raises(ValueError, match="batch_size"):
        model.fit(dataset(8), batch_size=4)


def test_train_on_batch_takes_one_step():
    model = compile_sgd(WGAN(*networks(), n_critic=2))
    model.train_on_batch(points(8))
    assert int(model.generator_optimizer.iterations) == 1
    assert int(model.critic_optimizer.iterations) == 2


def test_replicas_must_divide_the_batch(two_replicas):
    with two_replicas.scope():
        model = GAN(*networks())
    with pytest.raises(ValueError, match=r"replicas, 2.*5 examples"):
        model.fit(dataset(20, batch=5), verbose=0)


def test_nan_in_a_late_batch_stops_before_its_update():
    reals = points(40)
    reals[33] = np.nan
    model = compile_sgd(GAN(*networks()))
    with pytest.raises(ValueError, match="`reals` must be finite"):
        model.fit(tf.data.Dataset.from_tensor_slices(reals).batch(4), verbose=0)
    assert int(model.generator_optimizer.iterations) == 8
    assert all(np.isfinite(np.array(v)).all() for v in model.trainable_variables)


def test_label_out_of_range_in_a_late_batch_stops_before_its_update():
    generator = build_mlp_generator((2,), 3, (8,), num_classes=4)
    model = compile_sgd(CGAN(generator, build_mlp_discriminator((2,), (8,), num_classes=4)))
    labels = np.arange(40) % 4
    labels[33] = 4
    data = tf.data.Dataset.from_tensor_slices((points(40), labels)).batch(4)
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 4\)"):
        model.fit(data, verbose=0)
    assert int(model.generator_optimizer.iterations) == 8


def test_fit_gathers_and_repeats():
    model = compile_sgd(WGAN(*networks(), n_critic=3))
    model.fit(dataset(28, batch=4), epochs=2, verbose=0)  # 7 minibatches: 2 steps, 1 left over
    assert int(model.generator_optimizer.iterations) == 4
    assert int(model.critic_optimizer.iterations) == 12
    assert model.examples_per_step == 12
    model.fit(dataset(12, batch=4), steps_per_epoch=3, verbose=0)  # one step's data, three times
    assert int(model.generator_optimizer.iterations) == 7


def test_data_of_the_package_continue_where_initial_epoch_says():
    """Two epochs at once, and one after the other in two calls of `fit`, see the same pictures."""
    from keras_gans.datasets import load

    once, twice = GAN(*networks(), seed=4), GAN(*networks(), seed=4)
    for model in (once, twice):
        compile_sgd(model)
    ring = load("ring", batch_size=32, seed=5)
    once.fit(ring, epochs=2, steps_per_epoch=3, verbose=0)
    twice.fit(ring, epochs=1, steps_per_epoch=3, verbose=0)
    twice.fit(ring, epochs=2, initial_epoch=1, steps_per_epoch=3, verbose=0)
    assert_close(state(twice), state(once), 1e-6)

    later = compile_sgd(GAN(*networks(), seed=4))
    later.fit(ring, steps_per_epoch=3, verbose=0)
    later.fit(load("ring", batch_size=32, seed=5, start_step=3), steps_per_epoch=3, verbose=0)
    assert_close(state(later), state(once), 1e-6)


def test_importing_the_package_is_cheap():
    """Beside keras itself, the import loads none of the heavy optional packages."""
    code = (
        "import sys, keras; before = set(sys.modules); import keras_gans;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "heavy = {'tensorflow_datasets', 'matplotlib', 'PIL', 'rich', 'typer', 'scipy'};"
        "print(sorted(new & heavy))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


def test_public_names():
    for name in keras_gans.__all__:
        assert hasattr(keras_gans, name)


# One with a list of latents, one with codes beside them, one with an argument for it in its family.
PRIORS_OF = ("GAN", "LAPGAN", "InfoGAN", pytest.param("ProGAN", marks=pytest.mark.slow))


@pytest.mark.parametrize("name", PRIORS_OF)
def test_the_prior_of_latents_is_a_users(name):
    """Its latents, those that are drawn for samples, and what is saved, are of the prior given."""
    case = BY_NAME[name]
    other = {"normal": "uniform", "uniform": "normal"}[case.build().latent_prior]
    model = case.build(latent_prior=other)
    drawn = model.sample_latents(np.zeros((500, 1), "float32"))
    drawn = np.concatenate([np.ravel(part) for part in tree.flatten(drawn)])
    assert (np.abs(drawn).max() <= 1) == (other == "uniform")
    latents = main_port(model).inputs[0]
    assert latents.prior == other
    assert type(model).from_config(model.get_config()).latent_prior == other
    assert "latent_prior" not in case.build().get_config()


def test_unknown_priors():
    for wrong in ("gauss", 1, ["normal"]):
        with pytest.raises(ValueError, match=r"`latent_prior` must be None or one of .*Received"):
            BY_NAME["GAN"].build(latent_prior=wrong)
