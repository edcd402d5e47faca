"""What `costs.py` measures within TensorFlow, a function a part, each in a process of its own."""

import dataclasses
import functools
import tempfile
import time
from pathlib import Path

from keras_gans import callbacks, datasets, export
from keras_gans.datasets import examples
from keras_gans.export.tflite import SIGNATURE, load_interpreter
from keras_gans.images import save_png, to_uint8
from keras_gans.training import checkpoints, pipeline

import keras
import numpy as np
import tensorflow as tf

import contender_ours
from rows import ROWS, Row

DCGAN_28 = Row("DCGAN 28 px", "dcgan", "dcgan", (28, 28, 1), 64, 64)
GENERATORS = (DCGAN_28, ROWS["dcgan_64"], ROWS["progan_32"])
BATCHES = (1, 8, 64)
ACTIONS = {  # of callbacks, and the steps between two of them
    "SampleGrid": {"_write": "epoch"},
    "LossCurves": {"on_train_batch_end": 1, "write": "minute"},
    "TensorBoard": {"_write_scalars": 50, "_write_image": "epoch"},
    "Guard": {"_look": 100, "_keep": 1000},
    "Resume": {"_save": "epoch", "write, in the background": "epoch"},
    "Evaluate": {"_measure": "epoch"},
}


# pipeline


def sources(directory):
    """`{name: (dataset, row)}`, of data and of the DCGAN that is trained on them."""
    emoji = datasets.load("noto_emoji", batch_size=16, image_size=64)
    for number, picture in enumerate(emoji.from_step(0).unbatch().take(512)):
        save_png(Path(directory, f"{number:03d}.png"), to_uint8(picture.numpy()))
    folder = datasets.load(Path(directory), batch_size=16)
    budget, examples.MEMORY_BUDGET = examples.MEMORY_BUDGET, 0
    from_disk = datasets.load(Path(directory), batch_size=16)
    examples.MEMORY_BUDGET = budget
    at_64 = dataclasses.replace(ROWS["dcgan_64"], batch=16)
    return {
        "Fashion-MNIST 28 px": (datasets.load("fashion_mnist_10k", batch_size=64), DCGAN_28),
        "Noto emoji 64 px": (emoji, at_64),
        "folder of 512 PNGs, 64 px": (folder, at_64),
        "the same, larger than memory": (from_disk, at_64),
    }


def pictures_per_second(dataset, batch, seconds):
    """How fast a pipeline alone is."""
    iterator = iter(dataset)
    for _ in range(10):
        next(iterator)
    begin, elements = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        next(iterator)
        elements += 1
    return elements * batch / (time.perf_counter() - begin)


def seconds_per_step(gan, prepared, steps):
    """The time of a step on what `pipeline.prepare` made; past `fit`, which would call it."""
    clock = contender_ours.Clock()
    settings = {"steps_per_epoch": steps + 1, "shuffle": False, "verbose": 0}
    keras.Model.fit(gan, prepared, callbacks=[clock], **settings)
    return clock.seconds / steps


def measure_pipeline(args):
    result = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, (dataset, row) in sources(directory).items():
            gan = contender_ours.build(row)
            gan.compile()
            real = pipeline.prepare(gan, dataset, steps_per_epoch=1000)[0]
            cached = real.take(1).cache().repeat()
            seconds_per_step(gan, cached, 2)
            steps = 1 + int(args.seconds / seconds_per_step(gan, cached, 2))
            numbers = {"batch": row.batch, "steps": steps, "alone": [], "real": [], "cached": []}
            for _ in range(args.rounds):
                numbers["alone"].append(pictures_per_second(real, row.batch, args.seconds))
                numbers["real"].append(seconds_per_step(gan, real, steps))
                numbers["cached"].append(seconds_per_step(gan, cached, steps))
            result[name] = numbers
    return result


# callbacks


def timed(owner, name, times):
    """Lets a method note its seconds; a `Guard`'s looks at the end of epochs are not due ones."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def call(*args, **kwargs):
        begin = time.perf_counter()
        result = method(*args, **kwargs)
        if kwargs.get("due", True):
            times.append(time.perf_counter() - begin)
        return result

    setattr(owner, name, call)


def make_callback(name, directory, reals):
    make = getattr(callbacks, name)
    if name == "Guard":
        return make()
    if name == "LossCurves":
        return make(Path(directory, "losses.png"))
    return make(["fid"], reals, num=500) if name == "Evaluate" else make(directory)


class EpochEnds(keras.callbacks.Callback):
    """The times at which epochs end, for all callbacks before this one."""

    def on_train_begin(self, logs=None):
        self.ends = []

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(time.perf_counter())


def measure_callbacks(args):
    gan = contender_ours.build(dataclasses.replace(DCGAN_28, width=32))
    data = datasets.load("fashion_mnist_10k", batch_size=64)
    actions = {n: {action: [] for action in every} for n, every in ACTIONS.items()}
    blocks = {n: {"without": [], "with": []} for n in ACTIONS}
    written = actions["Resume"]["write, in the background"]
    timed(checkpoints, "write", written)

    def block(*callbacks):
        """Seconds of a step of the second of two epochs, one round of all actions in them."""
        ends = EpochEnds()
        fitted = {"steps_per_epoch": args.steps, "epochs": 2, "verbose": 0}
        gan.fit(data, callbacks=[*callbacks, ends], **fitted)
        return (ends.ends[1] - ends.ends[0]) / args.steps

    gan.fit(data, steps_per_epoch=3, verbose=0)
    for _ in range(args.rounds):
        for name, times in actions.items():
            with tempfile.TemporaryDirectory() as directory:
                callback = make_callback(name, directory, data)
                for action in times.keys() - {"write, in the background"}:
                    timed(callback, action, times[action])
                blocks[name]["without"].append(block())
                blocks[name]["with"].append(block(callback))
    return {"steps": args.steps, "every": ACTIONS, "blocks": blocks, "actions": actions}


# generation


def ways_to_generate(gan, directory):
    """`{way: function that makes n samples}`."""
    quiet = {"allow_untrained": True, "verbose": False}
    loaded = tf.saved_model.load(export.savedmodel(gan, Path(directory, "served"), **quiet))
    content = export.tflite(gan, Path(directory, "gan.tflite"), **quiet).path.read_bytes()
    run = load_interpreter(content, num_threads=2).get_signature_runner(SIGNATURE)
    latents = np.random.default_rng(0).normal(size=(64, *gan.latent_shape)).astype("float32")
    given = {n: tf.constant(latents[:n]) for n in BATCHES}

    def signature(name, n):
        # `loaded` is named here, for its variables live as long as it does.
        return [value.numpy() for value in loaded.signatures[name](latents=given[n]).values()]

    return {
        "`gan.generate`": lambda n: gan.generate(n, seed=0),
        "Keras `predict`": lambda n: gan.sampler.predict(latents[:n], batch_size=n, verbose=0),
        "SavedModel `raw`": lambda n: signature("raw", n),
        "SavedModel `serving_default`": lambda n: signature("serving_default", n),
        "TFLite, float32, 2 threads": lambda n: [run(latents=latents[k : k + 1]) for k in range(n)],
    }


def measure_generation(args):
    result = {}
    for row in GENERATORS:
        gan = contender_ours.build(row)
        with tempfile.TemporaryDirectory() as directory:
            ways = ways_to_generate(gan, directory)
            result[row.title] = numbers = {w: {n: [] for n in BATCHES} for w in ways}
            for counts in (False, *[True] * args.rounds):  # The first round traces and warms up.
                for n in BATCHES:
                    for way, make in ways.items():
                        begin, made = time.perf_counter(), 0
                        while made == 0 or time.perf_counter() - begin < args.seconds / 4:
                            make(n)
                            made += n
                        if counts:
                            numbers[way][n].append(made / (time.perf_counter() - begin))
    return result
