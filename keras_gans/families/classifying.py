"""What models share that tell the classes of samples apart, and those that learn it from a few."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gans import checks
from keras_gans.layers import MinibatchDiscrimination
from keras_gans.losses import float32
from keras_gans.training import kinds, pipeline
from keras_gans.training.ports import Port


class Classifying:
    """Methods for an `AdversarialModel` that also says of which class samples are.

    A subclass has `num_categories`, K, and defines `class_logits_network()`. All is by the averaged
    networks where there are some, and without the noise of training.
    """

    num_categories = None

    # No property: Keras looks for weights in all of them when it saves.
    def class_logits_network(self):
        """The network from samples (batch, ...) to the logits of the classes (batch, K)."""
        raise NotImplementedError(f"{type(self).__name__} must define `class_logits_network`")

    def ports(self):
        """Besides the others, "classify": of which class samples are.

        Not so where that of a sample depends on the others in its batch.
        """
        kind, source = self.sample_kind(), self.class_logits_network()
        if looks_across(source):
            return super().ports()
        taken = dataclasses.replace(kind, name=kind.output_name)

        def classifier():
            # Keras's argmax looks at the bits of zeros, for which TFLite has no operation.
            best = ops.top_k(source.outputs[0], 1)[1]
            return keras.Model(source.inputs[0], ops.squeeze(best, axis=-1))

        network = self._part("classify", classifier, source)
        labels = kinds.Labels("labels", self.num_categories)
        return {**super().ports(), "classify": Port((taken,), network, labels)}

    def classify(self, samples):
        """Of which class samples are.

        Args:
            samples: (num, ...) as in the training data, float32; or uint8 pictures.

        Returns:
            int32 array (num,) in [0, K).

        Raises:
            ValueError: the samples do not fit the model.

        Example:

        >>> (gan.classify(pictures) == labels).mean()
        0.957
        """
        self._check_looks_at_each()
        return self._ask("classify", samples=samples)

    def probabilities(self, samples):
        """How likely each class is: float32 (num, K), rows that sum to 1; see `classify`."""
        samples = dataclasses.replace(self.sample_kind(), name="samples").from_border(samples)
        return ops.convert_to_numpy(ops.softmax(self._class_logits(samples)))

    def _check_looks_at_each(self):
        if looks_across(self.class_logits_network()):
            raise ValueError(
                f"This {type(self).__name__} classifies batches, and no samples: what it says of "
                "one depends on the others beside it, by its MinibatchDiscrimination. For a "
                "classifier train without, by feature matching"
            )

    def _class_logits(self, samples):
        self._check_looks_at_each()
        return self._run(self.class_logits_network(), samples)

    def evaluate(self, x, y=None, batch_size=None, *, verbose="auto", return_dict=False):
        """How well labelled samples are classified, as `keras.Model.evaluate` says it.

        How good samples are says `keras_gans.metrics.evaluate`.

        Args:
            x: `tf.data.Dataset` of pairs (samples, labels), as `load(..., labels=True)` makes it;
                or an array of samples.
            y: int labels (num,), where `x` is an array.
            batch_size, verbose: taken as Keras does, and not needed.
            return_dict: whether to return a dict.

        Returns:
            The list [loss, accuracy], or {"loss": ..., "accuracy": ...}: the mean cross-entropy in
            nats, and the share that is put into its own class. 1 - accuracy is the papers' error.

        Raises:
            ValueError: there are no labels, or they or the samples do not fit the model.

        Example:

        >>> gan.evaluate(load("mnist_5k", "test", labels=True), return_dict=True)
        {'loss': 0.181, 'accuracy': 0.957}
        """
        pairs = [(x, y)] if y is not None else x
        if y is None and not isinstance(x, tf.data.Dataset):
            raise ValueError(
                "`x` must be a tf.data.Dataset of pairs (samples, labels), or `y` the labels of an "
                f"array. Received: x a {type(x).__name__}, y None"
            )
        kind = dataclasses.replace(self.sample_kind(), name="samples")
        spec = kind, kinds.Labels("labels", self.num_categories)
        losses, right = [], []
        for pair in pairs:
            samples, labels = pipeline.select(pair, spec, type(self).__name__)
            labels = np.asarray(labels)
            spec[1].check(labels)
            logits = float32(self._class_logits(kind.from_border(np.asarray(samples))))
            labels = labels.reshape(-1)
            if len(labels) != len(logits):
                raise ValueError(
                    f"`y` must have a label for each of the {len(logits)} samples. "
                    f"Received: {len(labels)}"
                )
            losses.append(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))
            right.append(np.argmax(logits, axis=-1) == labels)
        if not losses:
            raise ValueError("`x` must hold at least one batch. Received: none")
        found = {
            "loss": float(np.concatenate(losses).mean()),
            "accuracy": float(np.concatenate(right).mean()),
        }
        return found if return_dict else [*found.values()]


class SemiSupervised(Classifying):
    """For models that learn classes from a few labelled samples, and from many without labels.

    Their data are triples (reals, labelled, labels), as `datasets.semi_supervised` makes them.
    """

    def data_spec(self):
        (reals,) = super().data_spec()
        labelled = dataclasses.replace(reals, name="labelled")
        return reals, labelled, kinds.Labels("labels", self.num_categories)


def looks_across(network):
    """Whether a network compares the samples of a batch, also when it does not train."""
    return any(isinstance(layer, MinibatchDiscrimination) for layer in network._flatten_layers())


def check_classes(name, network, num_outputs=1):
    """The number of classes K of a network whose first output is their logits (batch, K).

    Raises:
        ValueError: it has other outputs, or K is below 2.
    """
    shapes = [tuple(output.shape[1:]) for output in network.outputs]
    others = ", and behind them its features" if num_outputs == 2 else ""
    if len(shapes) != num_outputs or len(shapes[0]) != 1 or shapes[0][0] < 2:
        raise ValueError(
            f"`{name}` must have the logits of 2 classes or more, (batch, K){others}. "
            f"Received: outputs of shapes {shapes}"
        )
    return checks.check_count("K", shapes[0][0])
