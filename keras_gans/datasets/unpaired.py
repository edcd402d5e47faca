"""`unpaired`: two sets of pictures side by side, for models that translate between them."""

import tensorflow as tf

from keras_gans.catalogue import DatasetInfo
from keras_gans.checks import check_int
from keras_gans.datasets.stepwise import scatter
from keras_gans.training.kinds import samples


def unpaired(a, b):
    """Joins two sets of pictures as batches of pairs that have nothing to do with each other.

    Each side has an order of its own, a pure function of its seed and the step. The seed of side B
    is `b`'s seed, scattered: two sets that were loaded with one seed are not shuffled alike. So
    pictures that belong together, in sets that are equally long, meet by chance only.

    The dataset is one epoch of the larger set; the smaller one begins its next epoch sooner. As
    with `load`, the endless dataset `from_step(k)` gives what `from_step(0).skip(k)` gives, at no
    cost, which is how `fit` continues a run.

    Args:
        a, b: datasets of pictures, as `load` returned them, without labels. They have the same
            `batch_size`, `start_step` and `drop_remainder`, and one of them at least is shuffled.

    Returns:
        tf.data.Dataset of pairs of float32 pictures (batch, height, width, channels) in [-1, 1].
        It has three attributes more: `info`, a `DatasetInfo` with the shape of `a`'s pictures and
        as many examples as the larger set; `start_step`; and `from_step(step)`, see above.

    Raises:
        TypeError: `a` or `b` was not made by `load`, or was changed afterwards.
        ValueError: one of them has labels, or no pictures; they differ in `batch_size`,
            `start_step` or `drop_remainder`; or neither is shuffled.

    Example:
        >>> dataset = unpaired(load("noto_emoji", image_size=28), load("fashion_mnist_10k"))
        >>> dataset.info.name, len(dataset)
        ('noto_emoji + fashion_mnist_10k', 157)
    """
    check_sides(a, b)
    # Scattered even where the seeds differ, so that no other choice of seeds ends in equal ones.
    runs = (a.run, lambda **ends: b.run(seed=scatter(b.run.keywords["seed"]) % 2**63, **ends))

    def run(**ends):
        return tf.data.Dataset.zip(tuple(side(**ends) for side in runs))

    def from_step(step):
        """The endless dataset of full batches from step `step` (int, at least 0) of the run."""
        return run(first_step=check_int("step", step, 0))

    info, batch_size = joined(a.info, b.info), a.run.keywords["batch_size"]
    epoch = a.start_step * batch_size // info.num_examples
    dataset = run(first_step=a.start_step, stop=(epoch + 1) * info.num_examples)
    dataset.info = info
    dataset.start_step = a.start_step
    dataset.from_step = from_step
    return dataset


ALIKE = {
    "batch_size": "batch_size",
    "start_step": "start_step",
    "drop": "drop_remainder",
}


def check_sides(a, b):
    """Raises TypeError or ValueError, see `unpaired`."""
    for name, side in (("a", a), ("b", b)):
        check_pictures(name, side)
    check_alike(a, b, ALIKE)
    if not (a.run.keywords["shuffle"] or b.run.keywords["shuffle"]):
        raise ValueError(
            "`a` or `b` must be shuffled: in their natural orders equal places would always meet. "
            "Received: two datasets with shuffle=False"
        )


def check_pictures(name, side):
    """Raises TypeError or ValueError unless the argument `name` is pictures, as `load` has them."""
    if not hasattr(side, "run"):
        raise TypeError(
            f"`{name}` must be a dataset as `load` returns it, with nothing done to it. "
            f"Received: {side!r}"
        )
    kind = samples(name, side.info.shape)
    if not kind.pictured:
        raise ValueError(
            f"`{name}` must be a set of pictures. "
            f"Received: {side.info.name!r}, a set of {kind.noun}"
        )
    if side.run.keywords["labels"]:
        raise ValueError(
            f"`{name}` must be pictures only, from `load` with labels=False. "
            f"Received: {side.info.name!r} with labels"
        )


def check_alike(a, b, keys):
    """Raises ValueError unless two sets were loaded alike: `keys` are `{keyword: argument}`."""
    settings = [{**side.run.keywords, "start_step": side.start_step} for side in (a, b)]
    for key, argument in keys.items():
        first, second = (setting[key] for setting in settings)
        if first != second:
            raise ValueError(
                f"`a` and `b` must be loaded with the same `{argument}`. "
                f"Received: {first} and {second}"
            )


def joined(a, b):
    """The description of both sets together."""
    both = {
        field: tuple(dict.fromkeys(filter(None, (getattr(a, field), getattr(b, field)))))
        for field in ("split", "license", "source")
    }
    return DatasetInfo(
        name=f"{a.name} + {b.name}",
        split=" + ".join(both["split"]),
        num_examples=max(a.num_examples, b.num_examples),
        shape=a.shape,
        license="; ".join(both["license"]),
        source="; ".join(both["source"]),
    )
