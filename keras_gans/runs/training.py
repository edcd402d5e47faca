"""A run: training into a directory that holds all of it, for the command line and the examples.

settings.json   all settings, and the versions used
samples/        grids of the same latents, and samples.gif
losses.png      the losses by step; the numbers are in losses.csv
tensorboard/    for: tensorboard --logdir DIR/tensorboard
model.keras     everything, for keras.models.load_model
savedmodel/     the generator alone, for TF Serving (`keras_gans.export.savedmodel`)
grid.png        samples of the trained model
checkpoints/    where the run goes on (`keras_gans.callbacks.Resume`), a finished one if longer
last_good.keras instead of a model, where training broke (`keras_gans.callbacks.Guard`)
"""

import contextlib
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import keras

from keras_gans.callbacks import Guard, LossCurves, Resume, SampleGrid, TensorBoard
from keras_gans.callbacks._support import draw
from keras_gans.devices.progress import steps_taken
from keras_gans.devices.replicas import is_chief, several_workers, together
from keras_gans.export import savedmodel
from keras_gans.files import read_json, replacing, write_json
from keras_gans.images import points_limit, save_png
from keras_gans.run_settings import (
    CHECKPOINTS,
    SETTINGS,
    check_directory,
    check_known_settings,
    check_same_settings,
    facts_of,
    lengthens,
    was_lengthened,
)
from keras_gans.runs.directories import (
    as_it_was_without_a_step,
    chosen_of,
    facts_of_model,
    facts_of_networks,
    own_directory,
)
from keras_gans.training import checkpoints, kinds
from keras_gans.training.ports import makes_from_latents

CHECKPOINT_SECONDS = 60
POINT_SAMPLES = 1000
GUARD_EXAMPLES = 32


def train(
    gan,
    dataset,
    directory,
    steps,
    sample_every=None,
    fresh=False,
    settings=None,
    samples=None,
    columns=None,
    callbacks=(),
    save_every=None,
):
    """Trains a model for some steps and writes the run; Ctrl-C ends it early and saves.

    A run that was ended before its last step, in whatever way, goes on when this is called again
    with the same settings, and becomes what it would have become; see `callbacks.Resume`. So does
    a finished one that is to have more steps; schedules over all steps are then those of the longer
    run.

    Args:
        gan: `AdversarialModel`, compiled or to be trained with the paper's optimizers.
        dataset: from `keras_gans.datasets.load`.
        directory: where the run is written; new or empty, or with an unfinished run of the same
            settings, or with a finished one of fewer steps, or with any run and `fresh`.
        steps: generator updates, at least 1.
        sample_every: steps between sample grids; when `None` a tenth of all, or as before in a run
            that is lengthened.
        fresh: whether an earlier run in the directory is replaced.
        settings: dict of further settings to write down. Of `steps` it has those above, whatever
            stands there.
        samples, columns: what the grids show, as in `callbacks.SampleGrid`. Models that make
            pictures out of pictures show some of the dataset's when `None`.
        callbacks: further Keras callbacks.
        save_every: steps between checkpoints; a minute when `None`, or a hundredth of all steps
            where several workers train together.

    Returns:
        Whether it ran to its end: `False` if the user ended it early.

    Raises:
        ValueError: the directory can't be used, the unfinished run in it has other settings, or the
            data do not fit the model.
        FloatingPointError: training broke; see `callbacks.Guard`.

    Example:

    >>> train(gan, load("fashion_mnist_10k"), "runs/dcgan", steps=2000)
    """
    run = Path(directory)
    settings, earlier = _settings_of(gan, dataset, run, steps, sample_every, fresh, settings)
    translates = not makes_from_latents(gan)
    if translates and samples is None:
        samples, columns = gan.grid_of(dataset)
    sample_every = settings["sample_every"]
    shown = {"reals": _some_points(dataset), "samples": samples, "columns": columns}
    if earlier.get("state") == "finished" and is_chief(gan):
        print(f"{run} is finished after {earlier['steps']:,} steps: it goes on to {steps:,}.")
    resume = _resume(gan, run, steps, save_every)
    with (
        together(gan),
        own_directory(gan, run, goes_on=bool(earlier)) as own,
        as_it_was_without_a_step(own) as first_step,
    ):
        more = [first_step, _guard(run, None if translates else dataset), *callbacks, resume]
        return _train(gan, dataset, steps, sample_every, own, settings, shown, more, resume)


def check(gan, dataset, directory, steps, sample_every=None, fresh=False, settings=None):
    """Whether `train` would take these arguments; nothing is trained or written.

    Args:
        gan, dataset, directory, steps, sample_every, fresh, settings: see `train`.

    Returns:
        The steps that it would take: fewer than `steps` where a run goes on.

    Raises:
        ValueError: the directory can't be used, or the run in it has other settings.

    Example:

    >>> check(gan, load("fashion_mnist_10k"), "runs/dcgan", steps=2000)
    2000
    """
    run = Path(directory)
    _settings_of(gan, dataset, run, steps, sample_every, fresh, settings)
    return _steps_left(run, steps, fresh)


def _settings_of(gan, dataset, run, steps, sample_every, fresh, settings):
    """The settings of a run that is to be, and those of the one that is there, `{}` if none is.

    A ValueError where the latter can't go on with the former.
    """
    check_directory(run, fresh, steps)
    longer = not fresh and lengthens(run, steps)
    earlier = {} if fresh else read_json(run / SETTINGS)
    reals = _some_points(dataset)
    settings = {
        **chosen_of(gan),
        "dataset": dataset.info.name,
        "sample_every": sample_every or earlier.get("sample_every") or max(1, steps // 10),
        **(settings or {}),
        "steps": steps,  # whatever else a script writes down
        **facts_of_model(gan, dataset.info),
        "plot_limit": None if reals is None else points_limit(reals),
    }
    if earlier:
        check_same_settings(run, earlier, settings, longer)
        if longer or was_lengthened(run):
            settings["lengthened_from"] = _end_of(earlier) if longer else earlier["lengthened_from"]
        settings["started"] = earlier.get("started", settings["started"])
    return settings, earlier


def _steps_left(run, steps, fresh=False):
    """The steps that a run still has to take, of all its steps."""
    made = [] if fresh else checkpoints.paths(run / CHECKPOINTS)
    return steps - (checkpoints.steps_of(made[-1]) if made else 0)


def _train(gan, dataset, steps, sample_every, run, settings, shown, more, resume):
    """Trains and writes all but the checkpoints; False if the user ended it early."""
    write_json(run / SETTINGS, {**settings, "state": "training"})
    begin = time.perf_counter()
    try:
        finished = _fit(gan, dataset, steps, sample_every, run, settings, shown, more)
    except FloatingPointError as error:
        write_json(run / SETTINGS, {**settings, "state": "failed", "failure": str(error)})
        raise
    settings |= {
        "state": "finished" if finished else "interrupted",
        "steps_taken": steps_taken(gan),
        "training_seconds": round(resume.seconds_before + time.perf_counter() - begin, 1),
    }
    with replacing(run / "model.keras", ".keras") as temporary:
        gan.save(temporary)
    if (run / "savedmodel").exists():  # of the part of this run before an early end
        shutil.rmtree(run / "savedmodel")
    # An early Ctrl-C may leave no step behind it, but what there is.
    savedmodel(gan, run / "savedmodel", 1, facts_of(settings), allow_untrained=True, verbose=False)
    save_png(run / "grid.png", draw(gan, None, gan.seed, **shown))
    write_json(run / SETTINGS, settings)
    for old in checkpoints.paths(run / CHECKPOINTS)[:-1] if finished else ():
        shutil.rmtree(old, ignore_errors=True)
    _say_how_it_ended(gan, run, settings, finished)
    return finished


def _say_how_it_ended(gan, run, settings, finished):
    state = "Finished" if finished else "Interrupted"
    print(
        f"{state} after {settings['steps_taken']:,} steps, {settings['training_seconds']:,} s.\n"
        f"Pictures: {run / 'grid.png'}, {run / 'samples' / 'samples.gif'} and "
        f"{run / 'losses.png'}\nSavedModel: {run / 'savedmodel'}    Keras model: "
        f"{run / 'model.keras'}"
    )
    if not finished:
        print("The same command goes on from here.")
    if makes_from_latents(gan):
        print(f"More samples: keras-gans generate {run}")


def train_stages(
    gan,
    stages,
    load_stage,
    directory,
    sample_every=None,
    fresh=False,
    settings=None,
    save_every=None,
):
    """Trains a growing model stage by stage, the last one into `directory`.

    Each earlier stage has a run directory of its own beside it, such as `runs/progan-4`. Stages
    that an earlier call finished with the same settings are read and not trained again, and one
    that it did not finish goes on, unless `fresh`. Where all are finished and have fewer steps, the
    last one goes on.

    Args:
        gan: `families.growing.GrowingModel`, its first stage.
        stages: list of pairs (steps, batch size), one for each stage. The first half of a stage's
            pictures fades its new layers in.
        load_stage: function (shape, batch_size) that returns the dataset of a stage's size.
        directory, sample_every, fresh, settings, save_every: see `train`.

    Returns:
        Whether it ran to its end: `False` if the user ended it early.

    Raises:
        ValueError: see `train`.

    Example:

    >>> def load_stage(shape, batch_size):
    ...     return load("noto_emoji", batch_size=batch_size, image_size=shape[:2])
    >>> train_stages(gan, [(1000, 32), (2000, 32), (4000, 16)], load_stage, "runs/progan")
    """
    directory, say = Path(directory), print if is_chief(gan) else lambda text: None
    left = check_stages(gan, stages, directory, sample_every, fresh, settings)
    longer = not fresh and _is_longer(directory, stages)
    if longer:
        with gan.distribute_strategy.scope():
            gan = keras.models.load_model(directory / "model.keras")
    for stage, (steps, batch_size) in enumerate(stages):
        last = stage == len(stages) - 1
        if longer and not last:
            continue
        if stage > 0 and not longer:
            gan = gan.grow(fade_pictures=max(1, steps * batch_size * gan.n_critic // 2))
        shape = tuple(gan.sampler.output_shape[1:])
        run = _directory_of(shape[0], directory, last)
        chosen = {**(settings or {}), "steps": steps, "batch_size": batch_size}
        if left[stage] == 0 and not last and _is_finished(run):
            say(f"{run} is finished: going on from there.")
            with gan.distribute_strategy.scope():
                gan = keras.models.load_model(run / "model.keras")
            continue
        say(f"{shape[0]} x {shape[1]}: {steps:,} steps of {batch_size} pictures.")
        dataset = load_stage(shape, batch_size)
        options = {"fresh": fresh, "settings": chosen, "save_every": save_every}
        if not train(gan, dataset, run, steps, sample_every, **options):
            return False
    return True


def check_stages(gan, stages, directory, sample_every=None, fresh=False, settings=None):
    """Whether `train_stages` would take these arguments; nothing is trained or written.

    Args:
        gan, stages, directory, sample_every, fresh, settings: see `train_stages`.

    Returns:
        List of the steps that each stage would take: 0 for one that is finished.

    Raises:
        ValueError: a directory can't be used, or the run in it has other settings.

    Example:

    >>> check_stages(gan, [(1000, 32), (2000, 32), (4000, 16)], "runs/progan")
    [1000, 2000, 4000]
    """
    directory, left = Path(directory), []
    check_directory(directory, fresh, stages[-1][0])
    longer = not fresh and _is_longer(directory, stages)
    size, grown = gan.sampler.output_shape[1], 0
    for stage, (steps, batch_size) in enumerate(stages):
        last = stage == len(stages) - 1
        run = _directory_of(size * 2**stage, directory, last)
        if longer and not last:
            left.append(0)
            continue
        goes_on = fresh or last or not _is_finished(run) or lengthens(run, steps)
        if goes_on:
            check_directory(run, fresh, steps)
        earlier = {} if fresh else read_json(run / SETTINGS)
        if earlier:
            while grown < stage:
                gan, grown = gan.grow(), grown + 1
            known = {**(settings or {}), "steps": steps, "batch_size": batch_size}
            if sample_every is not None and goes_on:
                known["sample_every"] = sample_every
            known = {**chosen_of(gan), **known, **facts_of_networks(gan)}
            known["sample_shape"] = list(gan.sampler.output_shape[1:])
            check_known_settings(run, earlier, known, longer=lengthens(run, steps))
        left.append(_steps_left(run, steps, fresh) if goes_on else 0)
    return left


def _is_longer(directory, stages):
    """Whether the last stage alone goes on, since it was finished once."""
    return lengthens(directory, stages[-1][0]) or was_lengthened(directory)


def _is_finished(run):
    return read_json(run / SETTINGS).get("state") == "finished"


def _directory_of(size, directory, last):
    """Where the run of a stage is whose pictures have this height."""
    return directory if last else directory.with_name(f"{directory.name}-{size}")


def _guard(run, dataset):
    reals = None
    if dataset is not None:
        reals = next(iter(dataset.unbatch().repeat().batch(GUARD_EXAMPLES)))
    return Guard(path=run / "last_good.keras", reals=reals, raise_error=True)


def _resume(gan, run, steps, save_every):
    every = {"every_seconds": CHECKPOINT_SECONDS}
    if save_every is not None or several_workers(gan.distribute_strategy):
        every = {"every_steps": save_every or max(1, steps // 100)}
    return Resume(run / CHECKPOINTS, **every)


def _epochs(settings):
    """The pair (epochs in all, steps of each of the last ones).

    They only divide the progress that is shown; ten lines where the steps allow it. A run that is
    lengthened has others after those that it had.
    """
    before = settings.get("lengthened_from") or {"steps": 0, "epochs": 0}
    steps = settings["steps"] - before["steps"]
    epochs = next(n for n in range(10, 0, -1) if steps % n == 0)
    return before["epochs"] + epochs, steps // epochs


def _end_of(settings):
    """Where a finished run ended."""
    return {"steps": settings["steps"], "epochs": _epochs(settings)[0]}


def _fit(gan, dataset, steps, sample_every, run, settings, shown, more):
    """Trains; False if the user ended it early."""
    title = f"{settings['model']} on {settings['dataset']}"
    curves = LossCurves(run / "losses.png", title=title)
    epochs, steps_per_epoch = _epochs(settings)
    try:
        with _interrupts(of_several=several_workers(gan.distribute_strategy)) as interrupted:
            gan.fit(
                dataset,
                epochs=epochs,
                steps_per_epoch=steps_per_epoch,
                callbacks=[
                    SampleGrid(run / "samples", every_steps=sample_every, **shown),
                    curves,
                    TensorBoard(
                        run / "tensorboard",
                        every_steps=sample_every,
                        scalars_every_steps=max(1, steps // 500),
                        **shown,
                    ),
                    *more,
                    _stop_when(interrupted),
                ],
                # A bar that redraws itself is noise in a file.
                verbose=1 if sys.stdout.isatty() else 2,
            )
    except Exception:
        curves.write()  # They may show why.
        raise
    return not interrupted.is_set()


@contextlib.contextmanager
def _interrupts(of_several):
    """An event that the first Ctrl-C or SIGTERM sets; a second one ends the program as usual.

    A KeyboardInterrupt could end a step halfway, with one player updated and the other not, and
    Keras swallows it where it converts logs. SIGTERM is what schedulers send before they kill.
    """
    event = threading.Event()
    # Signals reach the main thread only, and one of several workers only: it can't end by itself.
    if of_several or threading.current_thread() is not threading.main_thread():
        yield event
        return

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_interrupt(number, frame):
        event.set()
        restore()
        print("\nEnding after this step; once more ends it at once.", file=sys.stderr)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, on_interrupt) for number in numbers}
    try:
        yield event
    finally:
        restore()


def _stop_when(event):
    """A callback that ends training after the step in which the event was set."""

    def stop(batch, logs):
        if event.is_set():
            callback.model.stop_training = True

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    return callback


def _some_points(dataset):
    """The first of the real points, for plots; None where the data are pictures."""
    if not isinstance(kinds.samples("reals", dataset.info.shape), kinds.Points):
        return None
    labelled = isinstance(dataset.element_spec, tuple)
    points = dataset.map(lambda points, *others: points) if labelled else dataset
    return next(iter(points.unbatch().batch(POINT_SAMPLES))).numpy()
