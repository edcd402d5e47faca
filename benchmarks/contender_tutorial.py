"""The same networks and algorithms, written the way of the Keras tutorials.

A `keras.Model` with a `train_step` of one `GradientTape` for each player, Keras's own layers, a
`SeedGenerator`, and `fit` with `jit_compile` at its default, which is XLA wherever it can be had.
TensorFlow is as it is after its installation.

Where tutorials have bugs (one minibatch of reals for all critic steps, epsilon from a normal
distribution, a bare root), this has not: the algorithm is that of the others. Progressive growing
has no tutorial for Keras 3; it is written in the style of the one for WGAN-GP.
"""

import math

import keras  # before keras_gans, which would set TensorFlow up for this CPU
import tensorflow as tf
from keras import layers, ops

# isort: split
import keras_gans.layers
from keras_gans.layers.fade_in import set_alpha

from contender_ours import Contender, build, dataset_of


def with_layers_of_keras(network):
    """A copy of a network with Keras's own layers where ours stand in for them."""

    def copy(layer):
        config = layer.get_config()
        if isinstance(layer, keras_gans.layers.BatchNormalization):
            config = {k: config[k] for k in ("name", "momentum", "epsilon")}
            return layers.BatchNormalization(**config)
        if isinstance(layer, keras_gans.layers.LeakyReLU):
            return layers.LeakyReLU(layer.negative_slope, name=layer.name)
        if isinstance(layer, keras_gans.layers.ReLU):
            return layers.ReLU(name=layer.name)
        if isinstance(layer, keras_gans.layers.ResampledConv2D):
            return plain_convolution(layer, config)
        return type(layer).from_config(config)

    return keras.models.clone_model(network, clone_function=copy)


def plain_convolution(layer, config):
    """A resampled convolution as the layers that it stands for."""
    resampling = config.pop("resampling")
    if not isinstance(layer, keras_gans.layers.EqualizedConv2D):
        convolution = layers.Conv2D.from_config(config)
    else:
        convolution = type(layer).from_config(config)
    before = {"up": [layers.UpSampling2D(2)], "full": [layers.ZeroPadding2D(3)]}
    after = {"down": [layers.AveragePooling2D(2)]}
    parts = [*before.get(resampling, []), convolution, *after.get(resampling, [])]
    if resampling == "full":
        convolution.padding = "valid"
    return keras.Sequential(parts, name=layer.name) if len(parts) > 1 else convolution


class Tutorial(keras.Model):
    """What the four models share: their optimizers, a source of random numbers, two trackers."""

    def __init__(self, row, *networks):
        super().__init__()
        self.row, self.n = row, row.minibatches_per_step
        self.built = True
        self.seed_generator = keras.random.SeedGenerator(0)
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.discriminator_loss = keras.metrics.Mean(name="discriminator_loss")

    @property
    def metrics(self):
        return [self.generator_loss, self.discriminator_loss]

    def latents(self, reals):
        shape = (ops.shape(reals)[0], self.row.latent_dim)
        return keras.random.normal(shape, seed=self.seed_generator)

    def descend(self, optimizer, tape, loss, network):
        gradients = tape.gradient(loss, network.trainable_weights)
        optimizer.apply_gradients(zip(gradients, network.trainable_weights, strict=True))

    def logs(self, generator_loss, discriminator_loss):
        self.generator_loss.update_state(generator_loss)
        self.discriminator_loss.update_state(discriminator_loss)
        return {metric.name: metric.result() for metric in self.metrics}


class TwoPlayers(Tutorial):
    def __init__(self, row, generator, discriminator):
        super().__init__(row)
        self.generator, self.discriminator = generator, discriminator
        self.networks = [[discriminator], [generator]]

    def compile(self, make_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = make_optimizer(), make_optimizer()


class DCGAN(TwoPlayers):
    def train_step(self, reals):
        cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        ones = ops.ones((ops.shape(reals)[0], 1))
        fakes = self.generator(self.latents(reals), training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(reals, training=True)
            fake_logits = self.discriminator(fakes, training=True)
            d_loss = cross_entropy(ones, real_logits)
            d_loss += cross_entropy(ops.zeros_like(fake_logits), fake_logits)
        self.descend(self.d_optimizer, tape, d_loss, self.discriminator)

        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(reals), training=True)
            g_loss = cross_entropy(ones, self.discriminator(fakes, training=True))
        self.descend(self.g_optimizer, tape, g_loss, self.generator)
        return self.logs(g_loss, d_loss)


class WGANGP(TwoPlayers):
    drift_weight = 0.0

    def gradient_penalty(self, reals, fakes):
        epsilon = keras.random.uniform((ops.shape(reals)[0], 1, 1, 1), seed=self.seed_generator)
        interpolates = fakes + epsilon * (reals - fakes)
        with tf.GradientTape() as tape:
            tape.watch(interpolates)
            scores = self.discriminator(interpolates, training=True)
        gradients = tape.gradient(scores, [interpolates])[0]
        norms = ops.sqrt(ops.sum(ops.square(gradients), axis=(1, 2, 3)) + 1e-12)
        return ops.mean(ops.square(norms - 1.0))

    def prepared(self, reals):
        return reals

    def train_step(self, data):
        for k in range(self.n):
            reals = self.prepared(data[k :: self.n])
            with tf.GradientTape() as tape:
                fakes = self.generator(self.latents(reals), training=True)
                real_scores = self.discriminator(reals, training=True)
                fake_scores = self.discriminator(fakes, training=True)
                d_loss = ops.mean(fake_scores) - ops.mean(real_scores)
                d_loss += 10.0 * self.gradient_penalty(reals, fakes)
                d_loss += self.drift_weight * ops.mean(ops.square(real_scores))
            self.descend(self.d_optimizer, tape, d_loss, self.discriminator)

        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(reals), training=True)
            g_loss = -ops.mean(self.discriminator(fakes, training=True))
        self.descend(self.g_optimizer, tape, g_loss, self.generator)
        return self.logs(g_loss, d_loss)


class ProGAN(WGANGP):
    drift_weight = 1e-3

    def __init__(self, row, generator, discriminator):
        super().__init__(row, generator, discriminator)
        self.average = keras.models.clone_model(generator)
        self.average.set_weights(generator.get_weights())
        for network in (self.generator, self.discriminator):
            set_alpha(network, 0.5)

    def prepared(self, reals):
        if self.row.shape[0] == 4:
            return reals
        coarse = ops.average_pool(reals, 2)
        coarse = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
        return coarse + 0.5 * (reals - coarse)

    def train_step(self, data):
        logs = super().train_step(data)
        for average, weight in zip(self.average.weights, self.generator.weights, strict=True):
            average.assign(0.999 * average + 0.001 * weight)
        return logs


class CycleGAN(Tutorial):
    def __init__(self, row, ours, a_to_b, b_to_a, d_a, d_b):
        super().__init__(row)
        self.a_to_b, self.b_to_a, self.d_a, self.d_b = a_to_b, b_to_a, d_a, d_b
        self.buffer_a, self.buffer_b = ours.buffer_a, ours.buffer_b
        self.networks = [[d_a, d_b], [a_to_b, b_to_a]]

    def compile(self, make_optimizer):
        super().compile()
        self.optimizers_of = [make_optimizer() for _ in range(4)]

    def train_step(self, data):
        reals_a, reals_b = data
        squared, absolute = keras.losses.MeanSquaredError(), keras.losses.MeanAbsoluteError()
        with tf.GradientTape(persistent=True) as tape:
            fakes_b = self.a_to_b(reals_a, training=True)
            fakes_a = self.b_to_a(reals_b, training=True)
            cycled_a = self.b_to_a(fakes_b, training=True)
            cycled_b = self.a_to_b(fakes_a, training=True)
            same_a = self.b_to_a(reals_a, training=True)
            same_b = self.a_to_b(reals_b, training=True)
            fake_logits_a = self.d_a(fakes_a, training=True)
            fake_logits_b = self.d_b(fakes_b, training=True)
            g_loss = squared(ops.ones_like(fake_logits_a), fake_logits_a)
            g_loss += squared(ops.ones_like(fake_logits_b), fake_logits_b)
            g_loss += 10.0 * (absolute(reals_a, cycled_a) + absolute(reals_b, cycled_b))
            g_loss += 5.0 * (absolute(reals_a, same_a) + absolute(reals_b, same_b))
        self.descend(self.optimizers_of[0], tape, g_loss, self.a_to_b)
        self.descend(self.optimizers_of[1], tape, g_loss, self.b_to_a)

        fakes_a, fakes_b = self.buffer_a(fakes_a), self.buffer_b(fakes_b)
        with tf.GradientTape(persistent=True) as tape:
            d_a_loss = self.discriminator_loss_of(squared, self.d_a, reals_a, fakes_a)
            d_b_loss = self.discriminator_loss_of(squared, self.d_b, reals_b, fakes_b)
        self.descend(self.optimizers_of[2], tape, d_a_loss, self.d_a)
        self.descend(self.optimizers_of[3], tape, d_b_loss, self.d_b)
        return self.logs(g_loss, d_a_loss + d_b_loss)

    def discriminator_loss_of(self, squared, discriminator, reals, fakes):
        real_logits = discriminator(reals, training=True)
        fake_logits = discriminator(fakes, training=True)
        real_loss = squared(ops.ones_like(real_logits), real_logits)
        return 0.5 * (real_loss + squared(ops.zeros_like(fake_logits), fake_logits))


def make(row):
    """The contender of a row; its networks are those of ours."""
    ours = build(row)
    networks = [with_layers_of_keras(getattr(ours, name)) for name in ours.network_names]
    if row.algorithm == "cyclegan":
        model = CycleGAN(row, ours, *networks)
    else:
        classes = {"dcgan": DCGAN, "wgan_gp": WGANGP, "progan": ProGAN}
        model = classes[row.algorithm](row, *networks)
    player = next(iter(ours.players))
    config = ours.default_optimizers()[player].get_config()
    model.compile(lambda: keras.optimizers.Adam.from_config(config))
    return TutorialContender(model, gathered(row))


def gathered(row):
    """The dataset with the minibatches of a step together."""
    dataset = dataset_of(row)
    if row.minibatches_per_step > 1:
        dataset = dataset.unbatch().batch(row.examples_per_step, drop_remainder=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


class TutorialContender(Contender):
    def parameters(self):
        """The numbers of trainable values of the discriminators and of the generators."""
        return {
            str(player): sum(math.prod(w.shape) for n in networks for w in n.trainable_weights)
            for player, networks in enumerate(self.model.networks)
        }
