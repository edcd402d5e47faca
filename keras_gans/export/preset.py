"""A trained model as a preset: a SavedModel, and what it lacks to go on training."""

from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.checks import check_path
from keras_gans.export.savedmodel import savedmodel
from keras_gans.files import new_directory, write_json
from keras_gans.preset_places import CONFIG
from keras_gans.training.preset_files import STATE, other_weights


def save(gan, directory, facts=None, metrics=None):
    """Writes a trained model as a preset, which `keras_gans.load` reads.

    Args:
        gan: trained `AdversarialModel`.
        directory: new directory.
        facts, metrics: for the card, as in `keras_gans.export.savedmodel`.

    Returns:
        Path of the directory.

    Raises:
        ValueError: the model can't be exported.
        FileExistsError: the directory exists and is not empty.
    """
    directory = Path(check_path("directory", directory))
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FileExistsError(f"`directory` must be new. Received: '{directory}', which exists")
    with new_directory(directory) as temporary:
        savedmodel(gan, temporary, facts=facts, metrics=metrics, verbose=False)
        (temporary / CONFIG).parent.mkdir()
        write_json(temporary / CONFIG, keras.saving.serialize_keras_object(gan))
        state = tf.train.Checkpoint(weights=[weight.value for weight in other_weights(gan)])
        state.write(str(temporary / STATE))
    return directory
