"""What `keras-gans train` does with its options: what a script would do, and no algorithm.

Load data, build the paper's model, `fit` with the callbacks, save. What a model needs for it, its
class says.
"""

import dataclasses
import os

import keras
import tensorflow as tf

from keras_gans import datasets, registry, runs
from keras_gans.devices.precision import check_precision, dtype_policy
from keras_gans.devices.replicas import is_chief, make_strategy, several_workers, together
from keras_gans.training.kinds import samples

DATA_SETTINGS = ("image_size", "channels", "data_dir", "on_unreadable", "value_range")


def train(settings, batch_size, run, fresh, save_every, strategy):
    """Trains a model into a run directory.

    Args:
        settings: dict, what `settings.json` says that the user chose or that is the model's.
        batch_size: what the user chose, or `None`.
        run, fresh, save_every: see `runs.train`.
        strategy: name, as `devices.replicas.make_strategy` takes it.

    Returns:
        Whether it ran to its end: `False` if the user ended it early.
    """
    model_class = registry.MODELS[settings["model"]]
    check_options(model_class, settings)
    check_precision(settings["precision"])
    devices = make_strategy(strategy)
    keras.utils.set_random_seed(settings["seed"])
    if settings["deterministic"]:
        tf.config.experimental.enable_op_determinism()
    if hasattr(model_class, "stages"):
        return train_stages(model_class, settings, batch_size, run, fresh, save_every, devices)
    data = load_data(model_class, settings)
    gan = build(model_class, data.info, settings, devices)
    announce(data.info, settings, gan)
    settings = {**settings, "title": gan.paper.title, "arxiv": gan.paper.arxiv}
    steps, sample_every = settings["steps"], settings["sample_every"]
    return runs.train(gan, data, run, steps, sample_every, fresh, settings, save_every=save_every)


def check_options(model_class, settings):
    """Raises ValueError where an option is given that means nothing to a model."""
    name, recipe = model_class.__name__, model_class.recipe
    if settings["dataset_b"] is not None and recipe.splits is None:
        raise ValueError(
            f"--dataset-b is for models that translate between two sets, which {name} does "
            f"not. Received: '{settings['dataset_b']}'."
        )
    if settings["latent_dim"] is not None and recipe.latent_dim is None:
        raise ValueError(
            f"--latent-dim is no option of {name}. Received: {settings['latent_dim']}."
        )


def load_data(model_class, settings):
    name, recipe = model_class.__name__, model_class.recipe
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    if recipe.splits is not None:
        return _load_unpaired(name, recipe, settings, chosen)
    if recipe.labelled and not datasets.info(settings["dataset"], **chosen).num_classes:
        raise ValueError(
            f"{name} is label-conditional and must have data with classes. "
            f"Received: '{settings['dataset']}', which has none."
        )
    return datasets.load(
        settings["dataset"],
        batch_size=settings["batch_size"],
        seed=settings["seed"],
        labels=recipe.labelled,
        **chosen,
    )


def _load_unpaired(name, recipe, settings, chosen):
    """Two data sets, or the two splits of one that has them."""
    a, b = settings["dataset"], settings["dataset_b"]
    if b is None and (a in datasets.names() or os.path.isdir(a)):
        raise ValueError(
            f"--dataset-b must be given beside --dataset '{a}': {name} translates between two sets."
        )
    if b is not None and a == recipe.dataset:
        raise ValueError(f"--dataset must be given beside --dataset-b '{b}'.")
    sets = zip((a, a), recipe.splits, strict=True) if b is None else ((a, "train"), (b, "train"))
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


def announce(info, settings, gan):
    """Says what is about to be trained, once where several workers train together."""
    several = several_workers(gan.distribute_strategy)
    if is_chief(gan):
        print(
            f"Training {type(gan).__name__} on {info.name}: {settings['steps']:,} steps of "
            f"{settings['batch_size'] * gan.minibatches_per_step} examples."
            + ("" if several else " Ctrl-C ends it early and saves."),
            flush=True,
        )


def train_stages(model_class, settings, batch_size, run, fresh, save_every, strategy):
    """Grows a model to the size of its data; False if the user ended it early."""
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    info = datasets.info(settings["dataset"], **chosen)
    kind = samples("samples", info.shape)
    if not kind.pictured:
        raise ValueError(
            f"{model_class.__name__} must have pictures. "
            f"Received: '{info.name}', a set of {kind.noun}."
        )
    shapes, batch_sizes = zip(*model_class.stages(info.shape, batch_size), strict=True)
    gan = build(model_class, dataclasses.replace(info, shape=shapes[0]), settings, strategy)

    def load_stage(shape, batch_size):
        return datasets.load(
            settings["dataset"],
            batch_size=batch_size,
            seed=settings["seed"],
            **{**chosen, "image_size": shape[:2]},
        )

    stages = [(settings["steps"], batch_size) for batch_size in batch_sizes]
    own = {"title": gan.paper.title, "arxiv": gan.paper.arxiv, "data_dir": settings["data_dir"]}
    if settings["value_range"] is not None:
        own["value_range"] = settings["value_range"]
    return runs.train_stages(
        gan, stages, load_stage, run, settings["sample_every"], fresh, own, save_every
    )


def build(model_class, info, settings, strategy):
    chosen = {name: settings[name] for name in ("latent_dim", "ema_decay")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if model_class.recipe.labelled:
        chosen["num_classes"] = info.num_classes
    chosen = {**model_class.settings_for(settings["steps"]), **chosen}
    with together(), strategy.scope(), dtype_policy(settings["precision"]):
        return model_class.from_paper(info.shape, seed=settings["seed"], **chosen)
