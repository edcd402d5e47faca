"""Networks that several papers' `default_networks` have in common.

Points get dense networks, pictures DCGAN's. A seed is one for all of a model's networks: each
derives its own from it.
"""

import keras

from keras_gans.checks import check_flag
from keras_gans.networks.cogan import (
    build_cogan_dense_discriminators,
    build_cogan_dense_generators,
    build_cogan_discriminators,
    build_cogan_generators,
)
from keras_gans.networks.dcgan import (
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
)
from keras_gans.networks.infogan import build_infogan_discriminator, build_infogan_generator
from keras_gans.networks.mlp import (
    build_mlp_discriminator,
    build_mlp_encoder,
    build_mlp_generator,
)
from keras_gans.networks.ssgan import build_ssgan_mlp_discriminator, build_ssgan_mlp_generator

OF_POINTS = (256, 256, 256)


def mlp_pair(shape, latent_dim, num_classes=None, seed=None):
    """Dense networks for points.

    Args:
        shape: shape of one sample.
        latent_dim: length of the latents.
        num_classes: number of classes of label-conditional networks, or `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = mlp_pair((2,), latent_dim=16, seed=0)
    """
    conditions = {"num_classes": num_classes, "seed": seed}
    generator = build_mlp_generator(shape, latent_dim, OF_POINTS, **conditions)
    return generator, build_mlp_discriminator(shape, OF_POINTS, **conditions)


def gan_pair(shape, latent_dim, seed=None):
    """The first GAN's networks for pictures, dense ones without dropout for points.

    Those of the authors' code for MNIST (goodfeli/adversarial): maxout of 5 pieces and dropout in
    the discriminator, of its input too, and weights that begin in a narrow range.

    Args:
        shape, latent_dim, seed: see `mlp_pair`.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = gan_pair((28, 28, 1), latent_dim=100, seed=0)
    """
    if len(shape) == 1:
        return mlp_pair(shape, latent_dim, seed=seed)
    generator = build_mlp_generator(
        shape, latent_dim, hidden=(1200, 1200), initial_range=0.05, seed=seed
    )
    discriminator = build_mlp_discriminator(
        shape,
        hidden=(240, 240),
        maxout_pieces=5,
        input_dropout=0.2,
        dropout=0.5,
        initial_range=0.005,
        seed=seed,
    )
    return generator, discriminator


def cgan_pair(shape, latent_dim, num_classes, seed=None):
    """The conditional GAN's networks for pictures, dense ones without dropout for points.

    Mirza and Osindero, 2014, section 4.1: latents and label have layers of their own, 200 and 1000
    units wide in the generator; so have sample and label in the discriminator, where maxout has 5
    pieces and in the joint layer 4.

    Args:
        shape, latent_dim, num_classes, seed: see `mlp_pair`.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = cgan_pair((28, 28, 1), latent_dim=100, num_classes=10, seed=0)
    """
    if len(shape) == 1:
        return mlp_pair(shape, latent_dim, num_classes, seed)
    generator = build_mlp_generator(
        shape,
        latent_dim,
        hidden=(200, 1200),
        num_classes=num_classes,
        label_units=1000,
        dropout=0.5,
        seed=seed,
    )
    discriminator = build_mlp_discriminator(
        shape,
        hidden=(240, 240),
        maxout_pieces=(5, 4),
        dropout=0.5,
        num_classes=num_classes,
        label_units=50,
        seed=seed,
    )
    return generator, discriminator


def dcgan_pair(
    shape,
    latent_dim,
    normalization="batch",
    generator_normalization="batch",
    use_bias=True,
    seed=None,
):
    """DCGAN's networks for pictures, dense ones for points.

    Args:
        shape: shape of one sample.
        latent_dim: length of the latents.
        normalization: "batch", "layer", "instance" or `None`, of the discriminator of pictures.
        generator_normalization: likewise, of the generator.
        use_bias: whether layers of pictures without normalization behind them have a bias.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, critic = dcgan_pair((28, 28, 1), latent_dim=128, normalization="layer", seed=0)
    """
    if len(shape) == 1:
        return mlp_pair(shape, latent_dim, seed=seed)
    shared = {"use_bias": use_bias, "seed": seed}
    generator = build_dcgan_generator(
        shape, latent_dim, normalization=generator_normalization, **shared
    )
    return generator, build_dcgan_discriminator(shape, normalization=normalization, **shared)


def default_generator(shape, latent_dim, num_classes=None, seed=None):
    """DCGAN's generator for pictures, a dense one for points.

    Args:
        shape, latent_dim, seed: see `dcgan_pair`.
        num_classes: number of classes of a label-conditional generator, or `None`.

    Returns:
        Functional `keras.Model`.

    Raises:
        ValueError: an argument does not fit the network.

    Example:

    >>> default_generator((28, 28, 1), latent_dim=64, num_classes=10).output_shape
    (None, 28, 28, 1)
    """
    if len(shape) == 1:
        return build_mlp_generator(shape, latent_dim, OF_POINTS, num_classes=num_classes, seed=seed)
    return build_dcgan_generator(shape, latent_dim, num_classes=num_classes, seed=seed)


def infogan_pair(shape, latent_dim, num_categories, seed=None):
    """InfoGAN's networks for pictures, dense ones for points.

    Args:
        shape, latent_dim, seed: see `dcgan_pair`.
        num_categories: number of values of the categorical code, or a sequence of such numbers.

    Returns:
        The pair of generator and discriminator, which has the outputs [logits, features].

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = infogan_pair((28, 28, 1), 64, num_categories=10, seed=0)
    >>> discriminator.output_shape
    [(None, 1), (None, 1024)]
    """
    if len(shape) == 1:
        generator = build_mlp_generator(
            shape, latent_dim, OF_POINTS, num_classes=num_categories, seed=seed
        )
        return generator, discriminator_with_features(shape, seed=seed)
    generator = build_infogan_generator(shape, latent_dim, num_categories, seed=seed)
    return generator, build_infogan_discriminator(shape, seed=seed)


def catgan_pair(shape, latent_dim, num_classes, seed=None):
    """CatGAN's networks: dense ones, with weight normalization and noise in the discriminator.

    The noise on pictures, in [0, 1], has a deviation of 0.6. With SSGAN's 0.3 the discriminator was
    soon as uncertain of fakes as it can be, and then its entropies tell the generator nothing.

    Args:
        shape, latent_dim, seed: see `dcgan_pair`.
        num_classes: K, at least 2.

    Returns:
        The pair of generator and discriminator, whose output are the logits of the K classes.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = catgan_pair((28, 28, 1), 100, num_classes=10, seed=0)
    >>> discriminator.output_shape
    (None, 10)
    """
    if len(shape) == 1:
        generator = build_mlp_generator(shape, latent_dim, OF_POINTS, seed=seed)
        noises = {"input_noise": 0.05, "noise": 0.1}
    else:
        generator = build_ssgan_mlp_generator(shape, latent_dim, hidden=(300, 300), seed=seed)
        noises = {"input_noise": 0.6}
    discriminator = build_ssgan_mlp_discriminator(
        shape, num_classes, hidden=(500, 250, 250), seed=seed, **noises
    )
    logits, _ = discriminator.outputs
    return generator, keras.Model(discriminator.inputs[0], logits, name="catgan_discriminator")


def cogan_pairs(
    shape,
    latent_dim,
    other_shape=None,
    width=128,
    discriminator_width=None,
    shared=True,
    seed=None,
):
    """CoGAN's networks for pictures, dense ones for points.

    Args:
        shape, latent_dim, seed: see `mlp_pair`.
        other_shape: shape of a sample of the second domain; that of the first when `None`.
        width: channels of the generators' last common layer, 128 in the authors' code; of dense
            ones, which are 256 wide, the widths change nothing.
        discriminator_width: channels of the discriminators' first layers, 20 in the authors' code;
            as many for each of `width` as there when `None`.
        shared: whether they have layers in common.

    Returns:
        The pair of generators and the pair of discriminators.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> (generator_a, generator_b), discriminators = cogan_pairs((28, 28, 1), 100, width=32)
    """
    common = {"other_shape": other_shape, "seed": seed}
    common["shared_layers"] = None if check_flag("shared", shared) else 0
    if len(shape) == 1:
        generators = build_cogan_dense_generators(shape, latent_dim=latent_dim, **common)
        return generators, build_cogan_dense_discriminators(shape, **common)
    generators = build_cogan_generators(shape, latent_dim=latent_dim, width=width, **common)
    if discriminator_width is None:
        discriminator_width = max(1, round(width * 20 / 128))
    return generators, build_cogan_discriminators(shape, width=discriminator_width, **common)


def decoder_and_encoder(shape, latent_dim, seed=None, gaussian=True):
    """A generator of samples, and an encoder of them to its latents, or to Gaussians over these.

    Args:
        shape, latent_dim, seed: see `dcgan_pair`.
        gaussian: see `build_dcgan_encoder`.

    Returns:
        The pair of generator and encoder: DCGAN's for pictures, dense ones for points.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, encoder = decoder_and_encoder((28, 28, 1), latent_dim=100, seed=0)
    """
    if len(shape) == 1:
        encoder = build_mlp_encoder(shape, latent_dim, OF_POINTS, seed=seed, gaussian=gaussian)
    else:
        encoder = build_dcgan_encoder(shape, latent_dim, seed=seed, gaussian=gaussian)
    return default_generator(shape, latent_dim, seed=seed), encoder


def discriminator_with_features(shape, normalization="batch", seed=None):
    """A discriminator with the outputs [logits, features].

    Args:
        shape, normalization, seed: see `dcgan_pair`.

    Returns:
        Functional `keras.Model`: DCGAN's for pictures, a dense one for points.

    Raises:
        ValueError: an argument does not fit the network.

    Example:

    >>> discriminator_with_features((28, 28, 1)).output_shape
    [(None, 1), (None, 7, 7, 128)]
    """
    if len(shape) == 1:
        return build_mlp_discriminator(shape, OF_POINTS, return_features=True, seed=seed)
    return build_dcgan_discriminator(
        shape, normalization=normalization, return_features=True, seed=seed
    )
