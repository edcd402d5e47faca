"""What the examples share: their arguments, and the run that they write."""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SHIFT = {
    "type": int,
    "default": 0,
    "help": "pixels by which pictures are moved at most while one learns from them (default: 0)",
}


def arguments(description, out, steps, batch_size, **more):
    """The command line of an example.

    Args:
        description: what `--help` says; an example gives its docstring.
        out: directory of the run.
        steps: generator updates.
        batch_size: minibatch.
        **more: further options as keyword arguments of `add_argument`, by name.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", default=out, help=f"directory of the run, replaced if there (default: {out})")
    add("--steps", type=int, default=steps, help=f"generator updates (default: {steps})")
    add("--batch-size", type=int, default=batch_size, help=f"minibatch (default: {batch_size})")
    add("--seed", type=int, default=0, help="seed of weights, data order and latents (default: 0)")
    for name, options in more.items():
        add(f"--{name}", **options)
    args = parser.parse_args()

    import keras

    keras.utils.set_random_seed(args.seed)
    return args


def supervised_accuracy(classifier, labelled, test, steps, shift=0):
    """The test accuracy of a network that learns from labelled pictures alone.

    Args:
        classifier: keras.Model, pictures to the logits of their classes; it is trained.
        labelled: tf.data.Dataset of pairs (pictures, labels), one epoch.
        test: tf.data.Dataset of such pairs.
        steps: minibatches.
        shift: pixels by which the labelled pictures are moved at most.
    """
    from keras_gans import layers, optimizers
    from keras_gans.datasets import shifted

    import keras

    first = next(iter(labelled))[0]
    layers.initialize_from_data(classifier, first)
    classifier.compile(
        optimizer=optimizers.adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    shuffled = labelled.unbatch().cache().shuffle(10_000, seed=0).batch(len(first)).repeat()
    classifier.fit(shifted(shuffled, shift), steps_per_epoch=steps, verbose=0)
    return classifier.evaluate(test, verbose=0, return_dict=True)["accuracy"]
