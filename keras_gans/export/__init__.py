"""Trained models in the forms that leave Python: SavedModel for TF Serving, TFLite and ONNX."""

from keras_gans.export.from_run import export_run
from keras_gans.export.lint import lint
from keras_gans.export.onnx import onnx
from keras_gans.export.savedmodel import savedmodel
from keras_gans.export.serving import serving
from keras_gans.export.tflite import tflite

__all__ = ["export_run", "lint", "onnx", "savedmodel", "serving", "tflite"]
