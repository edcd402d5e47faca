"""The same networks and algorithms in plain PyTorch, as a good user of it writes them.

Eager, with fused Adam, activations in place where autograd allows it, no gradient where none is
used, and either memory format. Each network has as many trainable values as ours and makes maps of
the same sizes; where a full convolution of a vector is a matrix product, it is `nn.Linear` here.

What differs: a 3 x 3 convolution with stride 2 pads at the top and the left (`padding=1`), as
authors of PyTorch code do, and TensorFlow at the bottom and the right; transposed ones likewise.
That is the same work on mirrored maps. Losses are returned and nothing is logged.

    python benchmarks/contender_torch.py dcgan_32 wgan_gp_28
"""

import contextlib
import copy
import itertools
import sys
import time

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from rows import ROWS
from torch_networks import (
    ImageBuffer,
    ProGANDiscriminator,
    ProGANGenerator,
    batch_norm,
    dcgan_discriminator,
    dcgan_generator,
    layer_norm,
    patchgan_discriminator,
    residual_critic,
    residual_generator,
    resnet_generator,
)

torch.set_flush_denormal(True)  # as TensorFlow does: what is below 1e-38 is slow to compute with

EPOCH = 8  # steps whose reals are held in memory

# The algorithms


class Contender:
    """Players with networks and an Adam each; `step(reals)` is one update of the generator.

    Args:
        row: one of `ROWS`.
        channels_last: the memory format of networks and pictures.
        players: `{player: [networks]}`.
        adam: settings of each player's Adam.
    """

    def __init__(self, row, channels_last, players, **adam):
        self.row, self.players = row, players
        self.memory_format = memory_format(channels_last)
        if row.networks in ("dcgan", "translation"):
            for weight in self.weights():
                if weight.dim() > 1:
                    torch.nn.init.normal_(weight, std=0.02)
        for network in itertools.chain(*players.values()):
            network.to(memory_format=self.memory_format)
        self.optimizers = {
            player: torch.optim.Adam(list(self.weights(player)), fused=True, **adam)
            for player in players
        }
        self.reals = itertools.cycle(random_reals(row, EPOCH, channels_last))

    def weights(self, *players):
        networks = itertools.chain(*(self.players[p] for p in players or self.players))
        return itertools.chain(*(network.parameters() for network in networks))

    def parameters(self):
        """`{player: number of trainable values}`."""
        return {player: sum(w.numel() for w in self.weights(player)) for player in self.players}

    def latents(self):
        return torch.randn(self.row.batch, self.row.latent_dim)

    def train(self, player, trained):
        """Whether the player's weights get gradients."""
        for weight in self.weights(player):
            weight.requires_grad_(trained)

    def descend(self, player, loss):
        self.optimizers[player].zero_grad(set_to_none=True)
        # Interpolates are leaves too: without `inputs` they would get a gradient that none reads.
        loss.backward(inputs=list(self.weights(player)))
        self.optimizers[player].step()
        return loss.detach()

    def run(self, steps):
        """Seconds of `steps` steps."""
        begin = time.perf_counter()
        for reals in itertools.islice(self.reals, steps):
            self.step(reals)
        return time.perf_counter() - begin

    def first_step(self):
        self.run(1)

    def flops(self):
        return count_flops(self.row)


class DCGAN(Contender):
    def __init__(self, row, channels_last):
        g, d = dcgan_generator(row, channels_last), dcgan_discriminator(row, batch_norm)
        players = {"discriminator": [d], "generator": [g]}
        super().__init__(row, channels_last, players, lr=2e-4, betas=(0.5, 0.999), eps=1e-7)
        self.generator, self.discriminator = g, d

    def latents(self):
        return torch.empty(self.row.batch, self.row.latent_dim).uniform_(-1, 1)

    def step(self, reals):
        with torch.no_grad():
            fakes = self.generator(self.latents())
        # Apart, since each has batch statistics of its own.
        real_loss = F.softplus(-self.discriminator(reals)).mean()
        fake_loss = F.softplus(self.discriminator(fakes)).mean()
        d_loss = self.descend("discriminator", real_loss + fake_loss)

        self.train("discriminator", False)
        fake_logits = self.discriminator(self.generator(self.latents()))
        g_loss = self.descend("generator", F.softplus(-fake_logits).mean())
        self.train("discriminator", True)
        return d_loss, g_loss


class WGANGP(Contender):
    critic_name, drift_weight = "critic", 0.0

    def __init__(self, row, channels_last):
        if row.networks == "residual":
            generator, critic = residual_generator(row, channels_last), residual_critic(row)
        else:
            generator = dcgan_generator(row, channels_last)
            critic = dcgan_discriminator(row, layer_norm)
        self.set_up(row, channels_last, generator, critic, lr=1e-4, betas=(0.0, 0.9), eps=1e-7)

    def set_up(self, row, channels_last, generator, critic, **adam):
        players = {self.critic_name: [critic], "generator": [generator]}
        super().__init__(row, channels_last, players, **adam)
        self.generator, self.critic = generator, critic

    def prepared(self, reals):
        return reals

    def step(self, reals):
        n = self.row.minibatches_per_step
        for k in range(n):
            minibatch = reals[k::n].contiguous(memory_format=self.memory_format)
            critic_loss = self.critic_step(self.prepared(minibatch))
        self.train(self.critic_name, False)
        fake_logits = self.critic(self.generator(self.latents()))
        g_loss = self.descend("generator", -fake_logits.mean())
        self.train(self.critic_name, True)
        return critic_loss, g_loss

    def critic_step(self, reals):
        with torch.no_grad():
            fakes = self.generator(self.latents())
            interpolates = torch.lerp(fakes, reals, torch.rand(len(reals), 1, 1, 1))
        real_logits, fake_logits = self.critic(reals), self.critic(fakes)
        logits = self.critic(interpolates.requires_grad_())
        (gradients,) = torch.autograd.grad(logits.sum(), interpolates, create_graph=True)
        norms = (gradients.square().sum((1, 2, 3)) + 1e-12).sqrt()
        loss = fake_logits.mean() - real_logits.mean() + 10.0 * (norms - 1.0).square().mean()
        if self.drift_weight:
            loss = loss + self.drift_weight * real_logits.square().mean()
        return self.descend(self.critic_name, loss)


class ProGAN(WGANGP):
    critic_name, drift_weight = "discriminator", 1e-3

    def __init__(self, row, channels_last):
        networks = ProGANGenerator(row, channels_last), ProGANDiscriminator(row)
        self.set_up(row, channels_last, *networks, lr=1e-3, betas=(0.0, 0.99), eps=1e-8)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.averages = list(self.average.parameters())

    def prepared(self, reals):
        if self.row.shape[0] == 4:
            return reals
        coarse = F.interpolate(F.avg_pool2d(reals, 2), scale_factor=2)
        return torch.lerp(coarse, reals, 0.5)

    @torch.no_grad()
    def update_average(self):
        torch._foreach_lerp_(self.averages, list(self.generator.parameters()), 0.001)

    def step(self, reals):
        losses = super().step(reals)
        self.update_average()
        return losses


class CycleGAN(Contender):
    def __init__(self, row, channels_last):
        self.a_to_b, self.b_to_a = resnet_generator(row), resnet_generator(row)
        self.d_a, self.d_b = patchgan_discriminator(row), patchgan_discriminator(row)
        self.buffer_a, self.buffer_b = ImageBuffer(), ImageBuffer()
        players = {
            "generator": [self.a_to_b, self.b_to_a],
            "discriminator": [self.d_a, self.d_b],
        }
        super().__init__(row, channels_last, players, lr=2e-4, betas=(0.5, 0.999), eps=1e-7)

    def step(self, reals):
        reals_a, reals_b = reals
        self.train("discriminator", False)
        fakes_b, fakes_a = self.a_to_b(reals_a), self.b_to_a(reals_b)
        g_loss = squares(self.d_b(fakes_b), 1) + squares(self.d_a(fakes_a), 1)
        cycled_a, cycled_b = self.b_to_a(fakes_b), self.a_to_b(fakes_a)
        g_loss = g_loss + 10.0 * (F.l1_loss(cycled_a, reals_a) + F.l1_loss(cycled_b, reals_b))
        same_a, same_b = self.b_to_a(reals_a), self.a_to_b(reals_b)
        g_loss = g_loss + 5.0 * (F.l1_loss(same_a, reals_a) + F.l1_loss(same_b, reals_b))
        g_loss = self.descend("generator", g_loss)
        self.train("discriminator", True)

        fakes_a, fakes_b = self.buffer_a(fakes_a), self.buffer_b(fakes_b)
        d_loss = squares(self.d_a(reals_a), 1) + squares(self.d_a(fakes_a), 0)
        d_loss = d_loss + squares(self.d_b(reals_b), 1) + squares(self.d_b(fakes_b), 0)
        return self.descend("discriminator", 0.5 * d_loss), g_loss


def squares(logits, target):
    return (logits - target).square().mean()


# What the table is made with


def memory_format(channels_last):
    return torch.channels_last if channels_last else torch.contiguous_format


def build(row, channels_last):
    """The contender of a row, in either memory format."""
    algorithms = {"dcgan": DCGAN, "wgan_gp": WGANGP, "cyclegan": CycleGAN, "progan": ProGAN}
    return algorithms[row.algorithm](row, channels_last)


make = build


def random_reals(row, num_steps, channels_last):
    """A list of what `step` takes: U(-1, 1) pictures (examples, C, H, W), or pairs of them."""
    height, width, channels = row.shape

    def pictures():
        reals = torch.empty(row.examples_per_step, channels, height, width).uniform_(-1, 1)
        return reals.contiguous(memory_format=memory_format(channels_last))

    pair = row.networks == "translation"
    return [(pictures(), pictures()) if pair else pictures() for _ in range(num_steps)]


class NoModules(contextlib.nullcontext):
    """In place of the counter's hooks of modules, which fail where a gradient is an input's."""

    parents = ("Global",)


def count_flops(row):
    """FLOPs of one step, of convolutions and matrix products: int.

    The double backward of a gradient penalty is counted, as the convolutions that it consists of:
    for the penalty on the gradient of sum(conv(x)^2), six times the FLOPs of conv(x), which are
    the picture, its gradient, two for the derivative of that, and two for that of the picture.
    """
    contender, (reals,) = build(row, False), random_reals(row, 1, False)
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = NoModules()
    with counter:
        contender.step(reals)
    return counter.get_total_flops()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for last in (False, True):
            contender = build(ROWS[name], last)
            contender.first_step()
            print(name, "channels-last" if last else "contiguous", f"{contender.run(5) * 200:.1f}")
