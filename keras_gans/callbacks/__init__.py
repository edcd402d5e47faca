"""Callbacks for `fit`: samples, curves and figures of a run."""

from keras_gans.callbacks.evaluate import Evaluate
from keras_gans.callbacks.guard import Guard
from keras_gans.callbacks.loss_curves import LossCurves
from keras_gans.callbacks.reduce_rates_on_plateau import ReduceRatesOnPlateau
from keras_gans.callbacks.resume import Resume
from keras_gans.callbacks.sample_grid import SampleGrid
from keras_gans.callbacks.tensorboard import TensorBoard
from keras_gans.training.throughput import Throughput

__all__ = [
    "Evaluate",
    "Guard",
    "LossCurves",
    "ReduceRatesOnPlateau",
    "Resume",
    "SampleGrid",
    "TensorBoard",
    "Throughput",
]
