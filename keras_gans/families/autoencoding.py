"""What models with an encoder share: pictures to latents and back."""

import dataclasses

import keras

from keras_gans import checks
from keras_gans.training import kinds
from keras_gans.training.ports import Port


def check_encoder(encoder, generator, outputs=("latents",)):
    """Raises ValueError unless an encoder takes what the generator makes, and returns its latents.

    Args:
        encoder, generator: built `keras.Model`s.
        outputs: names of the encoder's outputs, each of the shape of the generator's latents; of a
            Gaussian one `variational.GAUSSIAN`.
    """
    checks.check_fits("encoder", encoder, generator)
    wanted = tuple(generator.inputs[0].shape[1:])
    received = [tuple(output.shape[1:]) for output in encoder.outputs]
    if received != [wanted] * len(outputs):
        several = len(outputs) > 1
        raise ValueError(
            f"`encoder` must have the {'outputs' if several else 'output'} [{', '.join(outputs)}], "
            f"{'each ' if several else ''}of the shape of the generator's latents, {wanted}. "
            f"Received: an encoder with outputs of shapes {received}"
        )


class Autoencoding:
    """Methods for an `AdversarialModel` with an encoder: pictures to latents and back.

    The latents of a picture are the encoder's first output, which of a Gaussian one is the mean of
    q(z|x). The averaged networks are used where there are some.
    """

    # No property: Keras looks for weights in all of them when it saves.
    def decoder(self):
        """The network that makes samples of latents: the generator, or its average."""
        return self.sampler

    def ports(self):
        """Besides "generate", "decode" of given latents, and "encode"."""
        made, decoder = self.sample_kind(), self.decoder()
        latents = kinds.Latents("latents", tuple(decoder.inputs[0].shape[1:]))
        taken = dataclasses.replace(made, name=made.output_name)
        encoder = getattr(self, "ema_encoder", None) or self.encoder

        def latents_of():
            return keras.Model(encoder.inputs[0], encoder.outputs[0])

        return {
            **super().ports(),
            "decode": Port((latents,), decoder, made),
            "encode": Port((taken,), self._part("encode", latents_of, encoder), latents),
        }

    def encode(self, pictures):
        """The latents of pictures; of a Gaussian encoder the means of q(z|x).

        Args:
            pictures: array (num, H, W, C), uint8, or float in [-1, 1]; for points (num, dim).

        Returns:
            float32 array (num, latent_dim).

        Raises:
            ValueError: the pictures do not fit the model.

        Example:

        >>> latents = model.encode(pictures)
        >>> halfway = model.decode((latents[:1] + latents[1:2]) / 2)
        """
        return self._ask("encode", pictures=pictures)

    def decode(self, latents):
        """The pictures that the generator makes of latents.

        Args:
            latents: float array (num, latent_dim).

        Returns:
            uint8 array (num, H, W, C); for points, float32 (num, dim).

        Raises:
            ValueError: the latents do not fit the model.
        """
        return self._ask("decode", latents=latents)

    def reconstruct(self, pictures):
        """`decode(encode(pictures))`: what is left of pictures in their latents."""
        return self.decode(self.encode(pictures))
