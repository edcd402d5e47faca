"""Size and channels of uint8 pictures, the same for every source."""

import tensorflow as tf

from keras_gans.checks import check_int

REC_601 = (0.299, 0.587, 0.114)
RESAMPLINGS = {"lanczos": "lanczos3", "box": "area"}  # as `tf.image.resize` calls them


def convert(pictures, size=None, channels=None, resampling="lanczos"):
    """Fits uint8 pictures to a size and a number of channels.

    The shorter side (relative to the target's) is resized, with an antialiased filter, and the
    centre is cropped. Colours become grey by the luminance of Rec. 601; grey is repeated for
    colours. A transparent picture is put on white where its alpha is not kept, and an opaque one is
    given an alpha of 255.

    Args:
        pictures: uint8 tensor (height, width, c) or (n, height, width, c), with c in 1..4 known
            statically: grey, grey and alpha, RGB, RGB and alpha.
        size: pair of int (height, width), or None to keep the size.
        channels: int in 1..4, or None to keep them.
        resampling: "lanczos", or "box" for means over what a pixel covers.

    Returns:
        uint8 tensor.
    """
    has_size = size is None or tuple(pictures.shape[-3:-1]) == tuple(size)
    has_channels = channels in (None, pictures.shape[-1])
    if has_size and has_channels:
        return pictures
    # Resized first, as bytes: floats of all pixels of a photograph would take much memory.
    x = tf.cast(pictures, tf.float32) if has_size else cover(pictures, *size, resampling)
    if not has_channels:
        x = to_channels(x, channels)
    return tf.cast(tf.clip_by_value(tf.round(x), 0.0, 255.0), tf.uint8)


def to_channels(x, channels):
    """Float32 pictures in [0, 255] with another number of channels."""
    colours, alpha = split_alpha(x)
    if alpha is not None and channels in (1, 3):
        colours = 255.0 + (colours - 255.0) * (alpha / 255.0)
    if channels <= 2 and colours.shape[-1] == 3:
        colours = tf.reduce_sum(colours * tf.constant(REC_601), axis=-1, keepdims=True)
    elif channels >= 3 and colours.shape[-1] == 1:
        colours = tf.repeat(colours, 3, axis=-1)
    if channels in (1, 3):
        return colours
    if alpha is None:
        alpha = tf.fill(tf.concat([tf.shape(colours)[:-1], [1]], 0), 255.0)
    return tf.concat([colours, alpha], axis=-1)


def cover(x, height, width, resampling="lanczos"):
    """Resizes pictures so that they just cover (height, width), and crops the centre.

    Args:
        x: uint8 or float32 pictures in [0, 255].

    Returns:
        float32 tensor, of which the filter may have taken some out of [0, 255].
    """
    old = tf.cast(tf.shape(x)[-3:-1], tf.float64)
    target = tf.constant([height, width])
    scale = tf.reduce_max(tf.cast(target, tf.float64) / old)
    new = tf.maximum(tf.cast(tf.round(old * scale), tf.int32), target)

    colours, alpha = split_alpha(x)
    if alpha is None:
        x = resize(x, new, resampling)
    else:  # colours are weighted by alpha, for what is transparent has no colour to mix in
        colours, alpha = tf.cast(colours, tf.float32), tf.cast(alpha, tf.float32)
        alpha_weighted = resize(tf.concat([colours * alpha, alpha], axis=-1), new, resampling)
        colours, alpha = split_alpha(alpha_weighted)
        x = tf.concat([tf.math.divide_no_nan(colours, alpha), alpha], axis=-1)

    top, left = tf.unstack((new - target) // 2)
    return x[..., top : top + height, left : left + width, :]


def resize(x, size, resampling="lanczos"):
    """Antialiased resize of pictures to an int32 tensor (height, width), as float32."""
    return tf.image.resize(x, size, method=RESAMPLINGS[resampling], antialias=True)


def split_alpha(x):
    """The colours of pictures, and their alpha or None."""
    if x.shape[-1] in (2, 4):
        return x[..., :-1], x[..., -1:]
    return x, None


def pair_of(argument, value):
    """Returns an image size as a pair (height, width), or None."""
    if value is None:
        return None
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ValueError(
                f"`{argument}` must be an integer or a pair (height, width). Received: {value!r}"
            )
        return tuple(check_int(argument, part, 1) for part in value)
    return (check_int(argument, value, 1),) * 2
