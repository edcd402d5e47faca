"""What `keras-gans train` does with its options: what a script would do, and no algorithm.

Load data, build the paper's model, `fit` with the callbacks, save.
"""

import dataclasses
import inspect
import os

import keras
import tensorflow as tf

from keras_gans import datasets, registry, runs
from keras_gans.precision import check_precision, dtype_policy
from keras_gans.registry import GrowingEntry, UnpairedEntry
from keras_gans.replicas import is_chief, make_strategy, several_workers, together

DATA_SETTINGS = ("image_size", "channels", "data_dir", "on_unreadable")


def train(settings, batch_size, run, fresh, save_every, strategy):
    """Trains a model into a run directory.

    Args:
        settings: dict, what `settings.json` says that the user chose or that is the model's.
        batch_size: what the user chose, or `None`.
        run, fresh, save_every: see `runs.train`.
        strategy: name, as `replicas.make_strategy` takes it.

    Returns:
        Whether it ran to its end: `False` if the user ended it early.
    """
    entry = registry.MODELS[settings["model"]]
    check_precision(settings["precision"])
    devices = make_strategy(strategy)
    keras.utils.set_random_seed(settings["seed"])
    if settings["deterministic"]:
        tf.config.experimental.enable_op_determinism()
    if isinstance(entry, GrowingEntry):
        return train_stages(entry, settings, batch_size, run, fresh, save_every, devices)
    data = load_data(entry, settings)
    gan = build(entry, data.info, settings, devices)
    announce(entry, data.info, settings, gan)
    settings = {**settings, "title": entry.title, "arxiv": entry.arxiv}
    steps, sample_every = settings["steps"], settings["sample_every"]
    return runs.train(gan, data, run, steps, sample_every, fresh, settings, save_every=save_every)


def load_data(entry, settings):
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    if isinstance(entry, UnpairedEntry):
        return _load_unpaired(entry, settings, chosen)
    if settings["dataset_b"] is not None:
        raise ValueError(
            f"--dataset-b is for models that translate between two sets, which {entry.name} does "
            f"not. Received: '{settings['dataset_b']}'."
        )
    if entry.labelled and not datasets.info(settings["dataset"], **chosen).num_classes:
        raise ValueError(
            f"{entry.name} is label-conditional and must have data with classes. "
            f"Received: '{settings['dataset']}', which has none."
        )
    return datasets.load(
        settings["dataset"],
        batch_size=settings["batch_size"],
        seed=settings["seed"],
        labels=entry.labelled,
        **chosen,
    )


def _load_unpaired(entry, settings, chosen):
    """Two data sets, or the two splits of one that has them."""
    a, b = settings["dataset"], settings["dataset_b"]
    if b is None and (a in datasets.names() or os.path.isdir(a)):
        raise ValueError(
            f"--dataset-b must be given beside --dataset '{a}': {entry.name} translates between "
            "two sets."
        )
    if b is not None and a == entry.dataset:
        raise ValueError(f"--dataset must be given beside --dataset-b '{b}'.")
    sets = zip((a, a), entry.splits, strict=True) if b is None else ((a, "train"), (b, "train"))
    return datasets.unpaired(
        *(
            datasets.load(
                name,
                split,
                batch_size=settings["batch_size"],
                seed=settings["seed"],
                **chosen,
            )
            for name, split in sets
        )
    )


def announce(entry, info, settings, gan):
    """Says what is about to be trained, once where several workers train together."""
    several = several_workers(gan.distribute_strategy)
    if is_chief(gan):
        print(
            f"Training {entry.name} on {info.name}: {settings['steps']:,} steps of "
            f"{settings['batch_size'] * gan.minibatches_per_step} examples."
            + ("" if several else " Ctrl-C ends it early and saves."),
            flush=True,
        )


def train_stages(entry, settings, batch_size, run, fresh, save_every, strategy):
    """Grows a model to the size of its data; False if the user ended it early."""
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    info = datasets.info(settings["dataset"], **chosen)
    if len(info.shape) != 3:
        raise ValueError(
            f"{entry.name} must have pictures. Received: '{info.name}', a set of points."
        )
    shapes, batch_sizes = zip(*entry.stages(info.shape, batch_size), strict=True)
    gan = build(entry, dataclasses.replace(info, shape=shapes[0]), settings, strategy)

    def load_stage(shape, batch_size):
        return datasets.load(
            settings["dataset"],
            batch_size=batch_size,
            seed=settings["seed"],
            **{**chosen, "image_size": shape[:2]},
        )

    stages = [(settings["steps"], batch_size) for batch_size in batch_sizes]
    own = {"title": entry.title, "arxiv": entry.arxiv, "data_dir": settings["data_dir"]}
    return runs.train_stages(
        gan, stages, load_stage, run, settings["sample_every"], fresh, own, save_every
    )


def build(entry, info, settings, strategy):
    chosen = {name: settings[name] for name in ("latent_dim", "ema_decay")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    accepted = inspect.signature(entry.build).parameters
    for name, value in chosen.items():
        if name not in accepted:
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} is no option of {entry.name}. Received: {value}.")
    if entry.labelled:
        chosen["num_classes"] = info.num_classes
    if "total_steps" in accepted:
        chosen["total_steps"] = settings["steps"]
    with together(), strategy.scope(), dtype_policy(settings["precision"]):
        return entry.build(info.shape, seed=settings["seed"], **chosen)
