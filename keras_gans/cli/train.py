"""What `keras-gans train` does with its options: what a script would do, and no algorithm.

Load data, build the paper's model, `fit` with the callbacks, save. What a model needs for it, its
class says.
"""

import dataclasses
import functools
import os

import keras
import tensorflow as tf

from keras_gans import datasets, registry, runs
from keras_gans.catalogue import splits_without_pairs
from keras_gans.checks import network_settings, takes
from keras_gans.cli.forecast import Forecast, forecast_stages, seconds_of_step, until
from keras_gans.devices.precision import check_precision, dtype_policy
from keras_gans.devices.replicas import is_chief, make_strategy, several_workers, together
from keras_gans.metrics import fashion_mnist_encoder
from keras_gans.networks import Features
from keras_gans.run_settings import lengthens
from keras_gans.runs.sampling import KerasSampler, open_sampler
from keras_gans.training.kinds import samples

PAPERS_LAYERS = {"VGG19": ["block5_conv4"], "VGG16": ["block5_conv3"]}  # of SRGAN
OF_SOME = {  # options, and which models have them
    "width": lambda model_class: "width" in network_settings(model_class),
    "scale": lambda model_class: model_class.recipe.scale is not None,
    "generator": lambda model_class: "generator" in network_settings(model_class),
    "features": lambda model_class: takes(model_class, "features"),
    "encoder": lambda model_class: "encoder" in network_settings(model_class),
}
FORECAST_FROM = 500  # steps; a shorter training is over before one is made
JITTER = ("crop", "flip")
DATA_SETTINGS = ("image_size", "channels", "data_dir", "on_unreadable", "value_range")
TFDS_SPLITS = ("trainA", "trainB")  # of its sets of two
ENCODERS = {"fashion_mnist_10k": fashion_mnist_encoder}  # by the set that they were trained for
# What all stages of a growing model have alike. Sizes of pictures and minibatches are each one's.
STAGE_SETTINGS = ("split", "data_dir", "on_unreadable", "channels", "latent_dim", "width")
STAGE_SETTINGS += ("deterministic", "precision")


def train(settings, batch_size, run, fresh, strategy, sample_every=None, save_every=None):
    """Trains a model into a run directory.

    Args:
        settings: dict, what `settings.json` says that the user chose or that is the model's.
        batch_size: what the user chose, or `None`.
        run, fresh: see `runs.train`.
        strategy: name, as `devices.replicas.make_strategy` takes it.
        sample_every, save_every: see `runs.train`.

    Returns:
        Whether it ran to its end: `False` if the user ended it early.
    """
    model_class, devices = prepare(settings, strategy)
    every = {"sample_every": sample_every, "save_every": save_every}
    if hasattr(model_class, "stages"):
        return train_stages(model_class, settings, batch_size, run, fresh, devices, every)
    data = load_data(model_class, settings)
    gan = build(model_class, data.info, settings, devices, **shape_of_b(model_class, data))
    announce(data.info, settings, gan)
    more = {"callbacks": [Forecast()] if is_chief(gan) else [], **every}
    more["settings"] = settings | paper_of(gan)
    return runs.train(gan, data, run, settings["steps"], fresh=fresh, **more)


def say_what_would_happen(settings, batch_size, run, fresh, strategy, sample_every=None):
    """What `--dry-run` prints: data, model, how long it would take and what would be written.

    Raises:
        ValueError: the training would be refused.
    """
    model_class, devices = prepare(settings, strategy)
    if hasattr(model_class, "stages"):
        info, stages, load_stage = plan_stages(model_class, settings, batch_size)
        gan, planned = begin_stages(model_class, info, settings, stages, devices)
        own = settings_of_stages(gan, info, settings)
        left = runs.check_stages(gan, planned, run, sample_every, fresh, own)
        print(f"{model_class.__name__} on {in_words(info)}.")
        forecast_stages(models_of(model_class, info, settings, stages, devices), left, load_stage)
    else:
        data = load_data(model_class, settings)
        own_shape, steps = shape_of_b(model_class, data), settings["steps"]
        gan = build(model_class, data.info, settings, devices, **own_shape)
        own = settings | paper_of(gan)
        left = runs.check(gan, data, run, steps, sample_every, fresh, own)
        print(f"{model_class.__name__} on {in_words(data.info)}.")
        announce(data.info, settings, gan, how_to_end=False)
        seconds = seconds_of_step(gan, data)
        of_them = "" if left == steps else f", of which {left:,} are left"
        print(f"A step takes about {seconds:.2g} s here{of_them}: {until(seconds * left)}.")
    print(what_is_there(run, fresh, settings["steps"]) + " Nothing is written in a dry run.")


def what_is_there(run, fresh, steps):
    """What a training does with a run directory that has passed `check_directory`."""
    if not run.exists() or not any(run.iterdir()):
        return f"{run} would be made."
    if fresh:
        return f"{run} would be replaced, all of it."
    if lengthens(run, steps):
        return f"The finished run in {run} would go on to {steps:,} steps."
    return f"The unfinished run in {run} would go on."


def in_words(info):
    """A data set in a few words."""
    shape = " × ".join(map(str, info.shape))
    classes = f", {info.num_classes} classes" if info.num_classes else ""
    return f"{info.name}: {info.num_examples:,} examples of {shape}{classes}"


def prepare(settings, strategy):
    """The pair (class, strategy) of a training, once its settings are checked."""
    model_class = registry.MODELS[settings["model"]]
    check_options(model_class, settings)
    check_precision(settings["precision"])
    devices = make_strategy(strategy)
    keras.utils.set_random_seed(settings["seed"])
    if settings["deterministic"]:
        tf.config.experimental.enable_op_determinism()
    return model_class, devices


def check_options(model_class, settings):
    """Raises ValueError where an option is given that means nothing to a model."""
    name, recipe = model_class.__name__, model_class.recipe
    if settings["dataset_b"] is not None and not recipe.of_two_sets:
        raise ValueError(
            f"--dataset-b is for models that are trained on two sets, which {name} is "
            f"not. Received: '{settings['dataset_b']}'."
        )
    if settings["direction"] is not None and not (recipe.paired and settings["dataset_b"] is None):
        raise ValueError(
            "--direction is for pairs that are side by side, of models such as Pix2Pix; of two "
            "sets --dataset is what is given, and --dataset-b what is made of it. "
            f"Received: '{settings['direction']}'."
        )
    if settings["latent_dim"] is not None and recipe.latent_dim is None:
        raise ValueError(
            f"--latent-dim is no option of {name}. Received: {settings['latent_dim']}."
        )
    if hasattr(model_class, "stages") and any(settings[name] for name in JITTER):
        raise ValueError(
            f"--crop and --flip are no options of {name}, which has pictures of many sizes. "
            f"Received: {' and '.join(f'--{name}' for name in JITTER if settings[name])}."
        )
    few = settings["labels_per_class"]
    if few is not None and recipe.labels_per_class is None:
        has = [n for n, known in registry.MODELS.items() if known.recipe.labels_per_class]
        raise ValueError(
            f"--labels-per-class is an option of {', '.join(has)}, and not of {name}. "
            f"Received: {few}."
        )
    if few == 0 and recipe.needs_classes:
        raise ValueError(
            f"--labels-per-class must be at least 1: {name} learns classes. Received: 0."
        )
    for option, is_option in OF_SOME.items():
        if settings[option] is not None and not is_option(model_class):
            has = [n for n, known in registry.MODELS.items() if is_option(known)]
            raise ValueError(
                f"--{option} is an option of {', '.join(has)}, and not of {name}. "
                f"Received: {settings[option]}."
            )
    missing = settings["encoder"] is None and settings["dataset"] not in ENCODERS
    if "encoder" in network_settings(model_class) and missing:
        raise ValueError(
            f"--encoder must be given beside --dataset '{settings['dataset']}': a .keras file "
            f"of a network that makes features of its pictures. {name} does not train it "
            f"(examples/{name.lower()}.py does)."
        )


def load_data(model_class, settings):
    name, recipe = model_class.__name__, model_class.recipe
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    if recipe.of_two_sets:
        return _load_two_sets(name, recipe, settings, chosen)
    split, few = settings["split"] or "train", settings["labels_per_class"]
    labelled = recipe.labelled or bool(few)
    if labelled and not datasets.info(settings["dataset"], split, **chosen).num_classes:
        what = "is label-conditional" if recipe.labelled else "learns classes"
        but = "" if recipe.needs_classes else ", or --labels-per-class 0 to do without"
        raise ValueError(
            f"{name} {what} and must have data with classes{but}. "
            f"Received: '{settings['dataset']}', which has none."
        )
    dataset = datasets.load(
        settings["dataset"],
        split,
        batch_size=settings["batch_size"],
        seed=settings["seed"],
        labels=labelled,
        **chosen,
        **{name: settings[name] for name in JITTER},
    )
    if recipe.scale:
        return datasets.downscaled(dataset, settings["scale"])
    return datasets.semi_supervised(dataset, few, settings["seed"]) if few else dataset


def _load_two_sets(name, recipe, settings, chosen):
    """Two data sets, the two splits of one that has them, or pairs that are side by side."""
    a, b, size = settings["dataset"], settings["dataset_b"], settings["image_size"]
    given = {
        **{name: settings[name] for name in ("batch_size", "seed", *JITTER)},
        **chosen,
    }
    load = functools.partial(datasets.load, **given)
    if recipe.paired and b is None and os.path.isdir(a):
        pairs = load(a, settings["split"] or "train", image_size=None)
        return datasets.paired(pairs, direction=settings["direction"] or "a_to_b", image_size=size)
    if b is None and (a in datasets.names() or os.path.isdir(a)):
        raise ValueError(
            f"--dataset-b must be given beside --dataset '{a}': {name} is trained on two sets."
        )
    if b is not None and a == recipe.dataset and recipe.dataset_b is None:
        raise ValueError(f"--dataset must be given beside --dataset-b '{b}'.")
    default = recipe.splits or TFDS_SPLITS
    splits = default if b is None else splits_without_pairs(a, b)
    splits = ("train", "train") if recipe.paired else splits
    if settings["split"] is not None:
        splits = tuple(settings["split"].split(","))
        if len(splits) != 2:
            raise ValueError(
                f"--split must be two names, of A and of B, such as '{','.join(default)}'. "
                f"Received: '{settings['split']}'."
            )
    sets = zip((a, a if b is None else b), splits, strict=True)
    join = datasets.paired if recipe.paired else datasets.unpaired
    return join(*(load(name, split) for name, split in sets))


def announce(info, settings, gan, how_to_end=True):
    """Says what is about to be trained, once where several workers train together."""
    how_to_end = how_to_end and not several_workers(gan.distribute_strategy)
    if is_chief(gan):
        print(
            f"Training {type(gan).__name__} on {info.name}: {settings['steps']:,} steps of "
            f"{settings['batch_size'] * gan.minibatches_per_step} examples, "
            f"{gan.count_params():,} parameters."
            + (" Ctrl-C ends it early and saves." if how_to_end else ""),
            flush=True,
        )


def train_stages(model_class, settings, batch_size, run, fresh, strategy, every):
    """Grows a model to the size of its data; False if the user ended it early."""
    info, stages, load_stage = plan_stages(model_class, settings, batch_size)
    gan, planned = begin_stages(model_class, info, settings, stages, strategy)
    own = settings_of_stages(gan, info, settings)
    begins = fresh or not run.exists()
    if is_chief(gan) and begins and settings["steps"] >= FORECAST_FROM:
        left = runs.check_stages(gan, planned, run, every["sample_every"], fresh, own)
        forecast_stages(models_of(model_class, info, settings, stages, strategy), left, load_stage)
    return runs.train_stages(gan, planned, load_stage, run, fresh=fresh, settings=own, **every)


def begin_stages(model_class, info, settings, stages, strategy):
    """The model of the first stage, and the pairs (steps, batch size) of all."""
    first = dataclasses.replace(info, shape=stages[0][0])
    planned = [(settings["steps"], batch_size) for _, batch_size in stages]
    return build(model_class, first, settings, strategy), planned


def settings_of_stages(gan, info, settings):
    """What all stages of a growing model write down of what the user chose."""
    own = {"dataset": info.name, "num_examples": info.num_examples, **paper_of(gan)}
    own |= {name: settings[name] for name in STAGE_SETTINGS}
    if settings["value_range"] is not None:
        own["value_range"] = settings["value_range"]
    return own


def paper_of(gan):
    return {"title": gan.paper.title, "arxiv": gan.paper.arxiv}


def plan_stages(model_class, settings, batch_size):
    """The data's info, the stages up to it as pairs (shape, batch size), and `load_stage`."""
    chosen = {name: settings[name] for name in DATA_SETTINGS}
    split = settings["split"] or "train"
    info = datasets.info(settings["dataset"], split, **chosen)
    kind = samples("samples", info.shape)
    if not kind.pictured:
        raise ValueError(
            f"{model_class.__name__} must have pictures. "
            f"Received: '{info.name}', a set of {kind.noun}."
        )

    def load_stage(shape, batch_size):
        return datasets.load(
            settings["dataset"],
            split,
            batch_size=batch_size,
            seed=settings["seed"],
            resampling="box",  # as of the fade
            **{**chosen, "image_size": shape[:2]},
        )

    return info, model_class.stages(info.shape, batch_size), load_stage


def shape_of_b(model_class, data):
    """The argument with the shape of domain B, of models whose networks can have another there."""
    if "other_shape" not in network_settings(model_class):
        return {}
    return {"other_shape": tuple(data.element_spec[1].shape[1:])}


def encoder_of(model_class, settings):
    """The argument with the trained encoder, of models that have one: a file's, or our own."""
    if "encoder" not in network_settings(model_class):
        return {}
    return {"encoder": settings["encoder"] or ENCODERS[settings["dataset"]]()}


def build(model_class, info, settings, strategy, **shapes):
    chosen = {name: settings.get(name) for name in ("latent_dim", "ema_decay", "width", "scale")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if model_class.recipe.labelled or settings.get("labels_per_class"):
        chosen["num_classes"] = info.num_classes
    chosen = {**model_class.settings_for(settings["steps"]), **chosen}
    with together(), strategy.scope(), dtype_policy(settings["precision"]):
        if settings.get("generator") is not None:
            chosen["generator"] = generator_of(settings["generator"])
        if settings.get("features") is not None:
            chosen["features"] = features_of(settings["features"])
        chosen |= encoder_of(model_class, settings)
        return model_class.from_paper(info.shape, seed=settings["seed"], **shapes, **chosen)


def generator_of(source):
    """The generator of a run, a .keras file or a preset, the averaged one where there is one."""
    sampler = open_sampler(source)
    if not isinstance(sampler, KerasSampler):
        raise ValueError(
            "--generator must be a run, a .keras file or a preset, whose weights can be trained. "
            f"Received: '{source}', a SavedModel."
        )
    averaged, generator = sampler.model.sampler, getattr(sampler.model, "generator", None)
    if generator is None:
        raise ValueError(
            "--generator must have a generator. "
            f"Received: '{source}', a {type(sampler.model).__name__}."
        )
    generator.set_weights(averaged.get_weights())
    return generator


def features_of(text):
    """The `Features` that --features names."""
    parts = text.split(":")
    application = parts.pop(0) if parts[0] in PAPERS_LAYERS else None
    file, layers, mode, *more = [*parts, None, None][: max(3, len(parts))]
    if more or not file:
        raise ValueError(
            "--features must be FILE[:LAYERS[:MODE]], or VGG19: or VGG16: before it. "
            f"Received: '{text}'."
        )
    layers = layers.split(",") if layers else PAPERS_LAYERS.get(application)
    mode = mode or ("tf" if application is None else "caffe")
    return Features(file, layers, mode, application)


def models_of(model_class, info, settings, stages, strategy):
    """Pairs (model of its own, batch size) of each stage, one at a time."""
    for shape, batch_size in stages:
        stage = dataclasses.replace(info, shape=shape)
        yield build(model_class, stage, settings, strategy), batch_size
