"""SavedModels for TF Serving: named signatures, PNG answers, warm-up requests and a card."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count, check_path
from keras_gans.export.card import card_page, make_card
from keras_gans.export.signatures import (
    build_signatures,
    check_exportable,
    is_batchable,
    port_of_signature,
)
from keras_gans.export.warmup import write_warmup
from keras_gans.files import CARD, PAGE, new_directory, newest_version, write_json


def savedmodel(
    gan, directory, version=1, facts=None, metrics=None, allow_untrained=False, verbose=True
):
    """Writes a trained model as one version of a SavedModel that TF Serving can serve.

    The averaged networks are exported where there are any. Signatures take and return named
    tensors; every integer is int64:

    - `serving_default(latents)`, `sample(seeds)` and `generate(num_images, seed)` return `images`,
      uint8 (batch, H, W, C), and `image_bytes`, each picture as a PNG file. `labels` (batch,) come
      beside them for conditional models, (batch, codes) for those of several. A row of `sample`
      depends on its own seed alone and is `gan.generate(1, seed)`; `generate` is
      `gan.generate(num_images, seed)`, with its labels taken in turn. For points they return
      `points`, float32 (batch, d).
    - `raw(latents)` returns `samples`, the generator's float32 output.
    - Models that make several things of the same latents, such as CoGAN's ports `a` and `b`, have
      these four for the first one, which is also `a(latents)`, and for the others `b(latents)`,
      `sample_b(seeds)`, `generate_b(num_images, seed)` and `raw_b(latents)`: of one seed, pictures
      that belong together.
    - Models that make pictures out of pictures have for each direction, such as `a_to_b`,
      `a_to_b(images)` of uint8 pictures (batch, H, W, C), `a_to_b_png(image_bytes)` of PNG or JPEG
      files and `raw_a_to_b(images)` of float32 pictures in [-1, 1]; `serving_default` is the first
      direction.
    - Whatever else a model can be asked for (`gan.ports()`) has the same three under its name:
      `encode(images)` gives `latents`, `decode(latents)` gives `images` and `image_bytes`,
      `classify(images)` gives `labels`.

    The same seed gives the same picture, on any batch size and in any language. Requests of a wrong
    shape, with labels that are no class, seeds below 0 or values that are not finite are errors.

    Args:
        gan: trained `AdversarialModel`.
        directory: where the versions are, the base path of TF Serving.
        version: integer of at least 1, the subdirectory that is written.
        facts: dict of what the card should say and the model does not know, such as `name`,
            `dataset`, `dataset_license` or `class_names`; values that JSON can hold.
        metrics: list of dicts with `name`, `value` and `protocol`, for the card; finite values.
        allow_untrained: whether a model without a training step behind it may be exported.
        verbose: whether to print what was written.

    Returns:
        Path of the version: `directory/version`, with `saved_model.pb`, `variables`, `assets.extra`
        (warm-up requests), `card.json` and `README.md`, the card to read.

    Raises:
        ValueError: the model is not trained, has weights that are not finite or draws random
            numbers of its own, or an argument is not as said.
        FileExistsError: the version exists, or the directory holds other things than versions.
        OSError: the directory can't be written. Nothing half-written is left.

    Example:

    >>> path = savedmodel(gan, "served/dcgan", facts={"dataset_license": "MIT"})
    >>> served = tf.saved_model.load(path).signatures["sample"]
    >>> served(seeds=tf.constant([7], tf.int64))["images"].shape
    TensorShape([1, 28, 28, 1])

    Reference:
        https://www.tensorflow.org/tfx/serving/signature_defs
    """
    check_exportable(gan, allow_untrained)
    directory = check_base(directory, version)
    module, signatures = build_signatures(gan)
    card = make_card(gan, signatures, facts, metrics)
    path = directory / str(version)
    with new_directory(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        write_warmup(temporary, warmup_requests(signatures, gan.ports()))
        write_json(temporary / CARD, card)
        (temporary / PAGE).write_text(card_page(card), encoding="utf-8")
    if verbose:
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        print(f"SavedModel: {path}, {size / 1e6:.2f} MB, signatures {', '.join(signatures)}")
    return path


def warmup_requests(signatures, ports):
    """Pairs (signature, inputs), with which a server can set itself up before the first client.

    Args:
        signatures: `{name: tf.function}` of `build_signatures`.
        ports: `{name: Port}` of the model, whose kinds give the examples.

    Returns:
        List of pairs (name, `{input: numpy array}`), with one row and with four. Signatures whose
        requests can't be joined are left out: a server that joins them would refuse the request,
        and with it the version.
    """
    requests = []
    for name, function in signatures.items():
        port = port_of_signature(name, ports)
        for rows in (1, 4) if is_batchable(function) else ():
            inputs = {spec.name: _example(spec, port, rows) for spec in function.input_signature}
            requests.append((name, inputs))
    return requests


def _example(spec, port, rows):
    """An input that the signature answers."""
    if spec.name == "seeds":
        return np.arange(1, rows + 1)
    if spec.name == "image_bytes":
        pictures = port.inputs[0].examples(rows)
        return np.array([tf.io.encode_png(picture).numpy() for picture in pictures], object)
    kind = next(kind for kind in port.inputs if kind.name == spec.name)
    values = kind.examples(rows)
    return (kind.from_border(values) if spec.dtype.is_floating else values).astype(
        spec.dtype.as_numpy_dtype
    )


def check_base(directory, version):
    """The directory as a path, once it is known that this version can be written to it."""
    version = check_count("version", version)
    directory = Path(check_path("directory", directory))
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"`directory` must be a directory. Received: the file '{directory}'")
    if os.path.lexists(directory / str(version)):
        newest = newest_version(directory)
        hint = f"; the next one is {int(newest.name) + 1}" if newest else ""
        raise FileExistsError(
            f"`version` must be a new one. Received: {version}, which '{directory}' has{hint}"
        )
    # Hidden files are notes of file managers, or a version that another process is writing.
    others = directory.is_dir() and any(p.name[0] != "." for p in directory.iterdir())
    if others and newest_version(directory) is None:
        raise FileExistsError(
            "`directory` must be new, empty, or hold versions of a SavedModel. "
            f"Received: '{directory}', which holds other files"
        )
    return directory
