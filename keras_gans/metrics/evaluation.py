"""`evaluate`: from a generator, a set of reals and names of metrics to measurements."""

import dataclasses
import functools
import inspect
import math

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count
from keras_gans.metrics._base import GenerativeMetric
from keras_gans.metrics._by_name import (
    METRICS,
    SEEDS,
    PathLength,
    batch_seed,
    check_metrics,
    check_numbers,
    find_extractor,
)
from keras_gans.metrics._examples import Examples
from keras_gans.metrics._pictures import check_integer_seed
from keras_gans.metrics._progress import progress_bar
from keras_gans.metrics.cache import ContentHash
from keras_gans.metrics.metric_set import MetricSet
from keras_gans.metrics.paired import PairMetric
from keras_gans.training import kinds
from keras_gans.training.base import AdversarialModel
from keras_gans.training.ports import asked_together, main_port, makes_from_latents

NUM = 10_000


def evaluate(model, reals, metrics=("fid",), num=None, *, verbose=False, **settings):
    """Measures a generator.

    Args:
        model: `AdversarialModel`; or another object with `generate(num, seed, labels)`, or such a
            function, that returns uint8 pictures (num, height, width, channels) or float points
            (num, dimensions), and takes `labels` if it is of classes; with `sources`, a model whose
            first port makes pictures out of pictures, an object with `translate(pictures)`, or such
            a function.
        reals: what it is measured against: uint8 pictures (num, height, width, channels), or float
            points (num, dimensions), or a pair of these and int labels (num,), or a dataset as
            `datasets.load` returned it.
        metrics: sequence of names, or of metrics of this package. Of pictures: "fid", "kid",
            "prdc", "is" (inception score), "mode_score", "ppl" (path length), "swd", "ms_ssim", and
            of pairs "psnr", "ssim", "l1" and "pixel_agreement"; of the points "ring", "grid" and
            "two_gaussians": "modes"; of "stacked_fashion_mnist" and "stacked_mnist_5k":
            "stacked_modes".
        num: int, samples that are generated; 10,000 when None, or as many as there are reals if
            there are fewer.
        verbose: whether to show a progress bar, on a terminal.
        **settings: see `Evaluation`.

    Returns:
        List of `Measurement`, in the order of `metrics`.

    Raises:
        ValueError: an argument is not as said, or does not fit the others; before anything is
            computed.

    Example:

    >>> for measurement in evaluate(gan, load("fashion_mnist_10k"), ["fid", "kid"]):
    ...     print(measurement)
    """
    evaluation = Evaluation(reals, metrics, num, **settings)
    with progress_bar(verbose) as track:
        return evaluation.measure(model, track)


class Evaluation:
    """Metrics and their reals, which are read once, for any number of generators.

    Reals are the first ones of the set, in its own order. Samples are made in batches, batch k
    with the seed `seed * 2^31 + k`; models with classes get the labels of the reals, in order and
    again from the first. All this stands in the protocol of each measurement.

    Args:
        reals, metrics, num: see `evaluate`.
        num_reals: int, how many reals; as many as samples when None.
        batch_size: int, samples that are made at once.
        seed: int in [0, 2^31).
        extractor: `Extractor` of features, for metrics that are given by name. None is
            `fashion_mnist_classifier()` for sets of Fashion-MNIST, and of stacked ones for
            "stacked_modes"; for others, digits too, there is no default.
        sources: for models that make pictures out of pictures: what they are given, `num` of it, in
            the forms of `reals`. For metrics of pairs, picture k belongs to real k.
        port: of models that make several things of the same latents (`Port.beside`), the name of
            the one that is measured, such as "b"; the first when None.
        cache: `RealsCache`, or None.

    Attributes:
        from_cache: names of the metrics whose reals came from the cache.
    """

    def __init__(
        self,
        reals,
        metrics,
        num=None,
        *,
        num_reals=None,
        batch_size=100,
        seed=0,
        extractor=None,
        sources=None,
        port=None,
        cache=None,
    ):
        if tf.distribute.has_strategy():
            raise ValueError(
                "An evaluation must be made outside of a strategy's scope: it measures in one "
                f"process. Received: {type(tf.distribute.get_strategy()).__name__}"
            )
        self.reals = Examples("reals", reals)
        self.sources = None if sources is None else Examples("sources", sources)
        least = min(x.num for x in (self.reals, self.sources) if x is not None)
        self.num = min(NUM, least) if num is None else check_count("num", num)
        self.num_reals = self.num if num_reals is None else check_count("num_reals", num_reals)
        self.capacity = max(self.num, self.num_reals)
        self.batch_size = check_count("batch_size", batch_size)
        self.seed = check_integer_seed(seed)
        if self.seed >= SEEDS:
            raise ValueError(f"`seed` must be below 2^31. Received: {seed}")
        self.port = port
        self.cache, self.from_cache, self._labels, self._has_reals = cache, [], [], False
        metrics = [metrics] if isinstance(metrics, str | GenerativeMetric) else list(metrics)
        check_metrics(metrics, self.reals, self.sources)
        check_numbers(metrics, self.num, self.num_reals, self.reals, self.sources)
        self.extractor = find_extractor(extractor, metrics, self.reals.set_name)
        made = [METRICS[m][2](self) if isinstance(m, str) else m for m in metrics]
        for metric in (metric for metric in metrics if isinstance(metric, GenerativeMetric)):
            metric.reset_state()
        self.metrics = {metric.name: metric for metric in made}
        if len(self.metrics) < len(made):
            names = [metric.name for metric in made]
            raise ValueError(f"`metrics` must have different names. Received: {names}")
        self._paired = [m for m in made if isinstance(m, PairMetric)]
        self._others = [m for m in made if not isinstance(m, PairMetric | PathLength)]

    def check(self, model):
        """Raises ValueError unless a model can be measured here."""
        if self.sources is not None:
            if translation_of(model) is None:
                raise ValueError(
                    "`model` must translate pictures where `sources` are given. "
                    f"Received: {type(model).__name__}"
                )
        elif not generates(model):
            raise ValueError(
                "`model` must generate samples, or `sources` must be given for it to translate. "
                f"Received: {type(model).__name__}"
            )
        shape = self._shape_of(model)
        pairs = zip(shape, self.reals.shape, strict=False)
        if shape and (
            len(shape) != len(self.reals.shape) or any(a not in (None, b) for a, b in pairs)
        ):
            raise ValueError(
                f"`reals` must have the shape of the model's samples, {shape}. "
                f"Received: {self.reals.shape}"
            )
        labelled = self.sources is None and takes_labels(model)
        classes = getattr(model, "num_classes", None) if labelled else None
        if classes and not self.reals.labelled:
            raise ValueError(
                f"`reals` must have labels, which {type(model).__name__} makes its samples of "
                "(`load(name, labels=True)`). Received: reals without labels"
            )
        if classes and self.reals.num_classes not in (None, classes):
            raise ValueError(
                f"`reals` must have the {classes} classes of the model. "
                f"Received: {self.reals.num_classes}"
            )
        if any(isinstance(m, PathLength) for m in self.metrics.values()):
            known = isinstance(model, AdversarialModel) and makes_from_latents(model)
            if not known or len(main_port(model).inputs) > 1:
                raise ValueError(
                    "`metrics` must be without 'ppl' but for a model in memory (no SavedModel) "
                    f"that makes pictures out of latents alone. Received: {type(model).__name__}"
                )

    def _shape_of(self, model):
        """The shape of the model's samples, () where it is not known."""
        if self.port is not None or (isinstance(model, AdversarialModel) and self.sources is None):
            return tuple(self._port_of(model).output.shape)
        return getattr(getattr(model, "sampler", None), "output_shape", (None,))[1:]

    def _port_of(self, model):
        """The port of a model with latents that is measured."""
        if not isinstance(model, AdversarialModel) or self.sources is not None:
            raise ValueError(
                "`port` must be None but for a model in memory (no SavedModel) that makes samples "
                f"out of latents. Received: {self.port!r}, for a {type(model).__name__}"
            )
        first = next(iter(model.ports()))
        return asked_together(model.ports(), self.port or first)[self.port or first]

    def measure(self, model, track=None):
        """List of `Measurement` of a model, in the order of the metrics.

        Args:
            model: see `evaluate`.
            track: what `progress_bar` gives, or None.
        """
        track = track or (lambda items, words, total: items)
        self.check(model)
        self.read_reals(track)
        for metric in self._others:
            metric.reset_fakes()
        for metric in self._paired:
            metric.reset_state()  # their reals come with the fakes
        samples = self._translated(model) if self.sources else self._generated(model)
        others = MetricSet(self._others) if self._others else None
        total = math.ceil(self.num / self.batch_size)
        if self._others or self._paired:
            for fakes, reals in track(samples, "Samples", total):
                if others:
                    others.update_state(fakes=fakes)
                for metric in self._paired:
                    metric.update_state(reals, fakes)
        measurements = []
        for metric in track(list(self.metrics.values()), "Metrics", len(self.metrics)):
            if isinstance(metric, PathLength):
                network = self._port_of(model).network
                metric = metric.of_model(model, network, self.num, self.batch_size, self.seed)
            measurements.append(self._with_protocol(metric, model))
        return measurements

    def read_reals(self, track=None):
        """Gives the metrics their reals, from the cache where they are there; only once."""
        if self._has_reals or not self._others:
            return
        track = track or (lambda items, words, total: items)
        total, missing = math.ceil(self.num_reals / self.batch_size), self._others
        kept = self.cache is not None and any(map(self.cache.keeps, self._others))
        if kept:
            content = ContentHash()
            for rows in track(self._real_batches(), "Reading reals", total):
                content.update(rows)
            content = content.hexdigest()
            missing = [m for m in self._others if not self.cache.restore(m, content)]
            self.from_cache = [m.name for m in self._others if m not in missing]
        if missing:
            metrics = MetricSet(missing)
            for rows in track(self._real_batches(), "Features of reals", total):
                metrics.update_state(reals=rows)
        for metric in missing if kept else ():
            self.cache.store(metric, content)
        self._has_reals = True

    def _real_batches(self):
        self._labels = []
        for rows, labels in self.reals.batches(self.num_reals, self.batch_size):
            if labels is not None:
                self._labels.extend(labels)
            yield rows

    def _generated(self, model):
        """Yields pairs of samples and None."""
        generate, labels = getattr(model, "generate", model), None
        if isinstance(model, AdversarialModel) and len(asked_together(model.ports())) > 1:
            generate = functools.partial(generate, port=self.port or next(iter(model.ports())))
        if takes_labels(model) and self.reals.labelled:
            labels = np.resize(np.array(self._labels), self.num)
        for index, start in enumerate(range(0, self.num, self.batch_size)):
            part = slice(start, min(start + self.batch_size, self.num))
            given = {} if labels is None else {"labels": labels[part]}
            num, seed = part.stop - start, batch_seed(self.seed, index)
            yield self._checked(generate(num, seed=seed, **given), num), None

    def _translated(self, model):
        """Yields pairs of translations and, for metrics of pairs, of the reals they should be."""
        translate, self._sources_hash = translation_of(model), ContentHash()
        sources = self.sources.batches(self.num, self.batch_size)
        reals = self.reals.batches(self.num if self._paired else 0, self.batch_size)
        for pictures, _ in sources:
            self._sources_hash.update(pictures)
            real, _ = next(reals, (None, None))
            yield self._checked(translate(pictures), len(pictures)), real

    def _checked(self, fakes, num):
        fakes, shape = np.asarray(fakes), (num, *self.reals.shape)
        kind = "uint8" if self.reals.kind.border_dtype == "uint8" else "float"
        if fakes.shape != shape or not fakes.dtype.name.startswith(kind):
            raise ValueError(
                f"`model` must make {kind} samples of shape {shape}, as the reals. "
                f"Received: {fakes.dtype} of shape {fakes.shape}"
            )
        return fakes

    def _with_protocol(self, metric, model):
        measured = metric.measurement()
        more = {"size": self.reals.size_in_words}
        if measured.protocol["reals"]:
            more["reals_chosen"] = _first(self.num_reals, self.reals.num)
        if self.sources is not None:
            more["samples"] = f"translations of {_first(self.num, self.sources.num)}"
            more["sources_hash"] = self._sources_hash.hexdigest()
        else:
            of_port = f"{self.port}, " if self.port else ""
            more["samples"] = f"{of_port}seed {self.seed}, {self.batch_size:,} at a time"
            if takes_labels(model) and self.reals.labelled:
                more["labels"] = "those of the reals, in order"
        return dataclasses.replace(measured, protocol={**measured.protocol, **more})


def generates(model):
    """Whether a model, or whatever stands for one, makes samples out of a seed."""
    if isinstance(model, AdversarialModel):
        return makes_from_latents(model)
    return callable(getattr(model, "generate", model))


def translation_of(model):
    """What makes pictures out of pictures, a function of them, or None where nothing does."""
    if isinstance(model, AdversarialModel):
        name, port = next(iter(model.ports().items()))
        return functools.partial(model.ask, name) if port.translates else None
    translate = getattr(model, "translate", model)
    return translate if callable(translate) else None


def takes_labels(model):
    """Whether a model makes its samples of labels; InfoGAN's categories are none of the data's."""
    if isinstance(model, AdversarialModel):
        parts, (port, *_) = model.data_spec(), model.ports().values()
        both = parts, port.inputs  # a semi-supervised model has labels in its data alone
        return all(any(isinstance(kind, kinds.Labels) for kind in found) for found in both)
    if hasattr(model, "generate"):
        return bool(getattr(model, "num_classes", None))
    return "labels" in inspect.signature(model).parameters


def _first(num, of):
    return f"all {of:,}" if num == of else f"the first {num:,} of {of:,}"
