"""The algorithms that `mixtures.py` compares on points, with the same networks and settings."""

from keras_gans import BEGAN, DRAGAN, GAN, LSGAN, R3GAN, WGAN, WGANGP, networks
from keras_gans.layers import MinibatchDiscrimination

import keras

LATENT_DIM, HIDDEN, BATCH_SIZE = 2, (128, 128, 128), 128
FIRST_RATE, LAST_RATE = 1e-3, 1e-5
EMA_DECAY = 0.995
CODE_DIM = 1  # of BEGAN's auto-encoder
FRAMES = 20  # of the animation; rates and graphs are cut into as many parts


def generator(seed, hidden=HIDDEN):
    return networks.build_mlp_generator((2,), LATENT_DIM, hidden, seed=seed)


def discriminator(seed, hidden=HIDDEN):
    return networks.build_mlp_discriminator((2,), hidden, seed=seed + 1)


def minibatch_discriminator(seed):
    """The others' discriminator, whose last hidden layer sees the rest of its minibatch."""
    body = networks.build_mlp_discriminator((2,), HIDDEN, return_features=True, seed=seed + 1)
    uniform = keras.initializers.GlorotUniform
    features = MinibatchDiscrimination(8, kernel_dim=2, kernel_initializer=uniform(seed + 2))(
        body.output[1]
    )
    logits = keras.layers.Dense(1, kernel_initializer=uniform(seed + 3), name="logits")(features)
    return keras.Model(body.input, logits, name="minibatch_discriminator")


def auto_encoder(seed):
    """Points to points through a code of `CODE_DIM` numbers, with `HIDDEN` on both sides."""
    widths = [*HIDDEN, CODE_DIM, *HIDDEN, 2]
    layers = [
        keras.layers.Dense(
            units,
            None if units in (CODE_DIM, 2) else "relu",
            kernel_initializer=keras.initializers.GlorotUniform(seed + 1000 + k),
        )
        for k, units in enumerate(widths)
    ]
    return keras.Sequential([keras.Input((2,)), *layers], name="auto_encoder")


def compiled(gan, optimizer, steps, first_rate=FIRST_RATE):
    """`gan` with an optimizer for each player, whose rate falls along a cosine to the last step."""
    rates = {}
    for player in gan.players:
        updates = steps * (gan.minibatches_per_step if player == "critic" else 1)
        rates[f"{player}_optimizer"] = optimizer(
            keras.optimizers.schedules.CosineDecay(
                first_rate, updates, alpha=LAST_RATE / first_rate
            )
        )
    per_call = max(1, steps // FRAMES)
    # With XLA a step of networks as small as these takes 0.4 to 0.9 of the time, on CPUs too.
    gan.compile(steps_per_execution=per_call, jit_compile=True, **rates)
    return gan


def adam(beta_1, beta_2):
    return lambda rate: keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)


def rmsprop(rate):
    return keras.optimizers.RMSprop(rate, rho=0.99)


def simple(cls, optimizer, critic=discriminator, **settings):
    """A function (set name, seed, steps) that makes a compiled model."""

    def build(set_name, seed, steps):
        gan = cls(generator(seed), critic(seed), ema_decay=EMA_DECAY, seed=seed, **settings)
        return compiled(gan, optimizer, steps)

    return build


# gamma of the set: the grid is 5 times larger, and squared gradients 25 times smaller.
GAMMA = {"ring": 0.02, "grid": 0.5}
LONG, LONG_BATCH_SIZE, LONG_FIRST_RATE, LONG_EMA_DECAY = "R3GAN long", 256, 3e-3, 0.999
LONG_LAYERS = {"ring": 4, "grid": 3}  # with 3, more samples are between the ring's modes


def r3gan(set_name, seed, steps, hidden=HIDDEN, ema_decay=EMA_DECAY, first_rate=FIRST_RATE):
    pair = generator(seed, hidden), discriminator(seed, hidden)
    gan = R3GAN(*pair, gp_weight=GAMMA[set_name], ema_decay=ema_decay, seed=seed)
    return compiled(gan, adam(0.0, 0.99), steps, first_rate)


def long_r3gan(set_name, seed, steps):
    hidden = HIDDEN[:1] * LONG_LAYERS[set_name]
    return r3gan(set_name, seed, steps, hidden, LONG_EMA_DECAY, LONG_FIRST_RATE)


# Each a function (set name, seed, steps) that returns a compiled model.
ALGORITHMS = {
    "GAN": simple(GAN, adam(0.5, 0.999)),
    "LSGAN": simple(LSGAN, adam(0.5, 0.999)),
    "WGAN": simple(WGAN, rmsprop, clip=0.1),
    "WGANGP": simple(WGANGP, adam(0.0, 0.9), gp_weight=0.1),
    "DRAGAN": simple(DRAGAN, adam(0.5, 0.999), gp_weight=1.0),
    "BEGAN": simple(BEGAN, adam(0.5, 0.999), auto_encoder, gamma=0.5, lambda_k=0.001),
    "minibatch GAN": simple(GAN, adam(0.5, 0.999), minibatch_discriminator),
    "R3GAN": r3gan,
    LONG: long_r3gan,
}

STEPS = {"WGAN": 0.5, "WGANGP": 0.5}
LONG_STEPS = {"ring": 4, "grid": 2.5}
BATCH_SIZES = {LONG: LONG_BATCH_SIZE}


def share_of_steps(name, set_name):
    """The generator updates of an algorithm, in those of most."""
    return LONG_STEPS[set_name] if name == LONG else STEPS.get(name, 1)
