"""What models share whose judge tells the classes of samples apart, in an output of its own.

Source: Odena et al., 2017 (arXiv:1610.09585), AC-GAN.
"""

from keras import ops

from keras_gans.checks import check_conditional
from keras_gans.losses import class_cross_entropy
from keras_gans.training.kinds import Labels


class ClassHead:
    """For an `AdversarialModel` with one judge, which may have such an output, and else has none.

    A subclass calls `set_classes(num_classes)` in its constructor. Where there are no classes its
    `num_classes` is `None`; labels are then `None` as well, and `class_loss` is 0.
    """

    def set_classes(self, num_classes):
        """Sets `num_classes`, and has `class_loss` reported where there are classes.

        Raises:
            ValueError: the networks have other inputs and outputs.
        """
        (name,) = self.players[self.judges[0]]
        shapes = [tuple(output.shape[1:]) for output in getattr(self, name).outputs]
        if num_classes is None:
            if len(shapes) != 1:
                raise ValueError(
                    f"`{name}` must have one output, its logits, as `num_classes` is None. "
                    f"Received: outputs of shapes {shapes}"
                )
            return
        check_conditional("generator", self.generator, num_classes)
        if len(shapes) != 2 or shapes[1] != (num_classes,):
            raise ValueError(
                f"`{name}` must have the outputs [logits, logits of the classes (batch, "
                f"{num_classes})], as `num_classes` is {num_classes}. "
                f"Received: outputs of shapes {shapes}"
            )
        self.num_classes = num_classes
        self.report_also("class_loss")

    def data_spec(self):
        spec = super().data_spec()
        return spec if self.num_classes is None else (*spec, Labels("labels", self.num_classes))

    def split_labels(self, batch):
        """Reals and labels of a minibatch, `None` without classes."""
        return (batch, None) if self.num_classes is None else batch

    def make(self, latents, labels):
        """The generator's samples, in training."""
        inputs = latents if labels is None else [latents, labels]
        return self.generator(inputs, training=True)

    def judge(self, samples):
        """The judge's logits in training, and those of the classes, `None` without any."""
        (name,) = self.players[self.judges[0]]
        outputs = getattr(self, name)(samples, training=True)
        return (outputs, None) if self.num_classes is None else outputs

    def sample_labels(self, like):
        """Random labels, int32 (batch of `like`,), or `None` without classes."""
        if self.num_classes is None:
            return None
        return ops.cast(self.random_uniform(like, maxval=self.num_classes), "int32")

    def class_loss(self, class_logits, labels):
        """The cross-entropy of the classes, a scalar; 0 without any."""
        if labels is None:
            return 0.0
        return class_cross_entropy(labels, class_logits)
