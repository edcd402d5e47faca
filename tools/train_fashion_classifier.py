"""Trains the Fashion-MNIST classifier whose features the package measures with.

    apt-get install dataset-fashion-mnist
    python tools/train_fashion_classifier.py

It needs the 60,000 training pictures, which the package does not ship. 55,000 of them are trained
on, with horizontal flips and shifts by up to a pixel; the other 5,000 are for choosing settings,
and decide whether the weights are good enough to be written. The 10,000 test pictures, which are
`fashion_mnist_10k`, decide nothing: a run with `--limit` leaves them alone, a whole one measures
them at its end, for the card. Models of the package are trained on these 10,000, so that its
features are of pictures that the classifier was not trained on.

Writes `keras_gans/metrics/data/`: the weights and a README.md, the card.
"""

import argparse
import hashlib
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans.catalogue import FASHION_CLASSES
from keras_gans.datasets.embedded import read_idx
from keras_gans.metrics.fashion import NUM_FEATURES, WEIGHTS, build_fashion_classifier

import keras
import numpy as np
import tensorflow as tf

DATA = Path(__file__).resolve().parents[1] / "keras_gans" / "metrics" / "data"
NUM_VALIDATION = 5000  # the last ones of the training pictures
SHIFT = 1
ENOUGH = 0.91

CARD = """\
# Fashion-MNIST classifier

`fashion_mnist_classifier.weights.h5`: the weights of
`keras_gans.metrics.fashion.build_fashion_classifier`, by `tools/train_fashion_classifier.py`.
`keras_gans.metrics.fashion_mnist_classifier()` gives its {features} features and 10 probabilities.

| | |
| --- | --- |
| accuracy on the 10,000 test pictures | {test:.2%} |
| accuracy on the 5,000 validation pictures | {validation:.2%} |
| trained on | the first 55,000 of the 60,000 training pictures, {epochs} epochs, seed {seed} |
| validated on | the last 5,000 of them; the test pictures decided nothing |
| weights | {weights:,}, {bytes:,} bytes |
| SHA-256 | `{digest}` |
| licence | Apache-2.0; the data, Fashion-MNIST (Xiao et al., 2017, arXiv:1708.07747), are MIT |

Accuracy by class, on the test pictures:

| {names} |
|{dashes}|
| {accuracies} |

Meant for measuring generators of Fashion-MNIST without a network. Its distances are not those of
an Inception network, and mean little for other pictures. The embedded set `fashion_mnist_10k` is
the test pictures: it has seen none of them.
"""


def read_pictures(directory, part):
    """The pictures (num, 28, 28, 1), uint8, and the labels of "train" or "t10k"."""
    pictures = read_idx(Path(directory) / f"{part}-images-idx3-ubyte.gz")[..., None]
    labels = read_idx(Path(directory) / f"{part}-labels-idx1-ubyte.gz").astype("int32")
    return pictures, labels


def to_floats(pictures):
    return tf.cast(pictures, tf.float32) / 127.5 - 1.0


def augment(pictures, labels):
    """Flips half of the pictures, and shifts each by up to `SHIFT` pixels; black comes in."""
    batch = tf.shape(pictures)[0]
    flipped = tf.random.uniform((batch, 1, 1, 1)) < 0.5
    pictures = tf.where(flipped, pictures[:, :, ::-1], pictures)
    padded = tf.pad(pictures, [(0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)])
    offsets = tf.random.uniform((batch, 2), 0, 2 * SHIFT + 1, tf.int32)
    rows = offsets[:, :1] + tf.range(28)
    columns = offsets[:, 1:] + tf.range(28)
    shifted = tf.gather(tf.gather(padded, rows, batch_dims=1), columns, axis=2, batch_dims=1)
    return to_floats(shifted), labels


def accuracy(model, pictures, labels):
    """The share of pictures that are named right, and that of each class."""
    named = np.concatenate(
        [
            model.predict_on_batch(to_floats(part))[1].argmax(axis=1)
            for part in np.array_split(pictures, max(1, len(pictures) // 500))
        ]
    )
    right = named == labels
    return right.mean(), [right[labels == k].mean() for k in range(10)]


def train(model, pictures, labels, validation, epochs, batch_size, rate):
    dataset = tf.data.Dataset.from_tensor_slices((pictures, labels))
    dataset = dataset.shuffle(len(labels)).batch(batch_size, drop_remainder=True)
    dataset = dataset.map(augment, num_parallel_calls=2).prefetch(2)
    steps = epochs * (len(labels) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=min(200, steps // 10)
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.01)
    head = keras.Model(model.inputs, model.outputs[1])
    # XLA is Keras's choice on CPUs too, where it is of no use to so small a network.
    loss = keras.losses.SparseCategoricalCrossentropy()
    head.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    validation = to_floats(validation[0]), validation[1]
    head.fit(dataset, epochs=epochs, shuffle=False, verbose=2, validation_data=validation)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", default="/usr/share/datasets/fashion-mnist", help="folder of the idx files"
    )
    parser.add_argument("--out", default=DATA, type=Path, help="folder of the weights")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="training pictures, for a try")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    pictures, labels = read_pictures(args.data, "train")
    validation = pictures[-NUM_VALIDATION:], labels[-NUM_VALIDATION:]
    pictures, labels = (x[:-NUM_VALIDATION][: args.limit] for x in (pictures, labels))
    model = build_fashion_classifier()
    begin = time.perf_counter()
    train(model, pictures, labels, validation, args.epochs, args.batch_size, args.rate)
    on_validation, _ = accuracy(model, *validation)
    seconds = time.perf_counter() - begin
    print(f"{len(labels):,} pictures, {args.epochs} epochs, {seconds:.0f} s: {on_validation:.2%}")
    if args.limit is not None:
        print("Nothing was written: a try with --limit.")
        return
    if on_validation < ENOUGH:
        raise SystemExit(f"Nothing was written: below {ENOUGH:.0%} on the validation pictures.")

    on_test, by_class = accuracy(model, *read_pictures(args.data, "t10k"))
    print(f"accuracy on the test pictures: {on_test:.2%}")
    args.out.mkdir(parents=True, exist_ok=True)
    weights = args.out / WEIGHTS
    temporary = weights.with_name(f"unfinished.{WEIGHTS}")
    model.save_weights(temporary)
    shutil.move(temporary, weights)
    content = weights.read_bytes()
    card = CARD.format(
        features=NUM_FEATURES,
        test=on_test,
        validation=on_validation,
        epochs=args.epochs,
        seed=args.seed,
        weights=model.count_params(),
        bytes=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        names=" | ".join(FASHION_CLASSES),
        dashes="|".join(["---"] * 10),
        accuracies=" | ".join(f"{share:.1%}" for share in by_class),
    )
    (args.out / "README.md").write_text(card, encoding="utf-8")
    print(f"wrote {weights}")


if __name__ == "__main__":
    main()
