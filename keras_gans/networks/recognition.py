"""The recognition network's own layers, on top of a discriminator's features (InfoGAN's Q).

Chen et al., 2016 (arXiv:1606.03657), appendix C.1: a dense layer of 128 units with batch
normalization and LeakyReLU(0.1), then the outputs. The layers before it are the discriminator's.
"""

import keras
from keras import layers, ops

from keras_gans.checks import check_count, check_counts, check_flag
from keras_gans.networks._parts import dcgan_initializers, dcgan_scales, normalized


def build_recognition_head(
    feature_shape, num_categories, num_continuous, units=128, learn_variance=False, seed=None
):
    """Builds the head that reads codes off a discriminator's features.

    Args:
        feature_shape: shape of one example's features, (h, w, filters) or (features,).
        num_categories: number of values of the categorical code, at least 2; or a sequence of such
            numbers, of several codes.
        num_continuous: number of continuous codes, at least 1.
        units: width of the hidden layer.
        learn_variance: whether the variances of the continuous codes are read off too. In the
            authors' code they are, except for MNIST, where they are 1.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: features (batch, *feature_shape) to float32 [category logits
        (batch, num_categories) of each categorical code, means of the continuous codes (batch,
        num_continuous)]. With `learn_variance` the last output is (batch, 2, num_continuous), the
        means and the logarithms of the variances.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_recognition_head((7, 7, 128), num_categories=10, num_continuous=2).output_shape
    [(None, 10), (None, 2)]
    >>> build_recognition_head((7, 7, 128), num_categories=(10, 5), num_continuous=2).output_shape
    [(None, 10), (None, 5), (None, 2)]
    >>> build_recognition_head((7, 7, 128), 10, 2, learn_variance=True).output_shape
    [(None, 10), (None, 2, 2)]
    """
    if not isinstance(feature_shape, tuple | list) or not feature_shape:
        raise ValueError(
            "`feature_shape` must be the shape of one example's features, (h, w, filters). "
            f"Received: {feature_shape!r}"
        )
    shape = [check_count("feature_shape", length) for length in feature_shape]
    check_count("num_continuous", num_continuous), check_count("units", units)
    check_flag("learn_variance", learn_variance)
    sizes = check_counts("num_categories", num_categories, low=2)
    initializer = dcgan_initializers(seed, "recognition_head")

    def head(outputs, name):
        return layers.Dense(outputs, dtype="float32", kernel_initializer=initializer(), name=name)

    features = keras.Input(shape, name="features")
    x = layers.Dense(units, use_bias=False, kernel_initializer=initializer())(
        layers.Flatten()(features)
    )
    x = layers.LeakyReLU(0.1)(normalized(x, "batch", dcgan_scales(seed, "recognition_head")))
    names = [f"category_logits_{i}" for i in range(len(sizes))]
    names = names if len(sizes) > 1 else ["category_logits"]
    outputs = [head(size, name)(x) for size, name in zip(sizes, names, strict=True)]
    codes = head(num_continuous, "code_means")(x)
    if learn_variance:
        codes = ops.stack([codes, head(num_continuous, "code_log_variances")(x)], axis=1)
    return keras.Model(features, [*outputs, codes], name="recognition_head")
