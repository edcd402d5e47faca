"""Historical averaging: a player pays for being far from the mean of its past weights."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gans")
class HistoricalAverage(keras.layers.Layer):
    """The mean of the past values of some variables, and the squared distance from it.

    For a player with the parameters theta, whose value after its i-th update is theta[i],
    `penalty` is the term

        ||theta - 1/t sum_{i=1..t} theta[i]||^2

    that is added to its loss; before the first `update` it is 0. A model holds this layer as an
    attribute, so that the means and t are saved with it, and training goes on with them. Where a
    trained model is loaded for a new training (`keras_gans.load`), the history begins anew.

    Args:
        variables: Keras variables of float type, such as `model.player_variables("generator")`.

    Example:

    ```python
    class Calm(keras_gans.DCGAN):
        def __init__(self, *networks, **settings):
            super().__init__(*networks, **settings)
            self.past = HistoricalAverage(self.player_variables("generator"))

        def train_step(self, data):
            ...
            with self.update("generator") as losses:
                logits = self.discriminator(self.generator(latents, training=True), training=True)
                losses["generator"] = non_saturating_generator_loss(logits)
                losses["generator"] += 0.01 * self.past.penalty(self.generator.trainable_weights)
            self.past.update(self.generator.trainable_weights)
            return self.logs()
    ```

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.3.
    """

    begins_anew = True  # where a trained model is loaded to train on other data; see `preset_files`

    def __init__(self, variables, **kwargs):
        super().__init__(autocast=False, **kwargs)
        variables = list(variables)
        if not variables or not all(keras.backend.is_float_dtype(v.dtype) for v in variables):
            raise ValueError(
                "`variables` must be Keras variables of float type, one or more. "
                f"Received: {[getattr(v, 'dtype', v) for v in variables]}"
            )
        self.means = [
            self.add_weight(
                name=f"mean_{index}",
                shape=variable.shape,
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
                autocast=False,
            )
            for index, variable in enumerate(variables)
        ]
        # 64 bits, since 32-bit counters do not live on GPUs.
        self.count = self.add_weight(
            name="count", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.built = True

    def penalty(self, variables):
        """The squared distance of `variables` from their past means: a float32 scalar.

        Its gradient goes to the variables, 2 (theta - mean); the means are constants.
        """
        self._check(variables)
        past = ops.cast(ops.minimum(self.count, 1), "float32")
        terms = [
            ops.sum(ops.square(ops.cast(v, "float32") - ops.stop_gradient(ops.cast(m, "float32"))))
            for v, m in zip(variables, self.means, strict=True)
        ]
        return past * sum(terms)

    def update(self, variables):
        """Takes the present values of `variables` into the means, behind their update."""
        self._check(variables)
        # All replicas have the same weights, so there is nothing to aggregate.
        self.count.assign(self.count + 1)
        for variable, mean in zip(variables, self.means, strict=True):
            mean.assign(mean + (variable - mean) / ops.cast(self.count, mean.dtype))

    def _check(self, variables):
        shapes, known = ([tuple(v.shape) for v in each] for each in (variables, self.means))
        if shapes != known:
            raise ValueError(
                f"`variables` must be those that the history is of, of shapes {known}. "
                f"Received: {shapes}"
            )
