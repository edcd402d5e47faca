"""Several metrics of the same pictures."""

import contextlib

import keras
import tensorflow as tf

from keras_gans.metrics._base import FeatureMetric, GenerativeMetric


class MetricSet(keras.metrics.Metric):
    """Metrics that are updated together; each extractor runs once for all that have it.

    Args:
        metrics: list of metrics of this package whose `update_state` takes reals and fakes, of
            different names.

    Example:

    >>> classifier = fashion_mnist_classifier()
    >>> metrics = MetricSet([FID(classifier), KID(classifier), PRDC(classifier)])
    >>> metrics.update_state(reals, gan.generate(len(reals)))
    >>> for measurement in metrics.measurements():
    ...     print(measurement)
    """

    def __init__(self, metrics, name="metrics"):
        super().__init__(name=name)
        metrics = list(metrics)
        names = [getattr(metric, "name", None) for metric in metrics]
        if not metrics or not all(isinstance(metric, GenerativeMetric) for metric in metrics):
            raise ValueError(
                f"`metrics` must be a list of metrics of keras_gans. Received: {metrics}"
            )
        if len(set(names)) < len(names):
            raise ValueError(f"`metrics` must have different names. Received: {names}")
        self.metrics = metrics

    def update_state(self, reals=None, fakes=None):
        """Adds a batch to each metric."""
        # One tensor for all of them, by which an extractor knows what it has seen.
        reals, fakes = (x if x is None else tf.convert_to_tensor(x) for x in (reals, fakes))
        extractors = {id(m.extractor): m.extractor for m in self.metrics if has_extractor(m)}
        with contextlib.ExitStack() as stack:
            for extractor in extractors.values():
                stack.enter_context(extractor.shared())
            for metric in self.metrics:
                metric.update_state(reals, fakes)

    def result(self):
        """Dict of all values of all metrics."""
        return {name: value for m in self.metrics for name, value in m.values().items()}

    def measurements(self):
        """List of `Measurement`."""
        return [metric.measurement() for metric in self.metrics]

    def reset_state(self):
        for metric in self.metrics:
            metric.reset_state()

    def reset_fakes(self):
        """Forgets the fakes and keeps the reals."""
        for metric in self.metrics:
            metric.reset_fakes()


def has_extractor(metric):
    return isinstance(metric, FeatureMetric)
