"""The same networks and algorithms in plain PyTorch, as a good user of it writes them.

With fused Adam, activations in place where autograd allows it, no gradient where none is used, and
either memory format; eager or with compiled losses, in float32 or under autocast to bfloat16, on a
CPU or a GPU. Each network has as many trainable values as ours and makes maps of the same sizes;
where a full convolution of a vector is a matrix product, it is `nn.Linear` here.

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

    What `losses` names are methods from the forward passes to a loss. Each one always meets the
    same weights with gradients, so that it is one graph when compiled, and its backward another.

    Args:
        row: one of `ROWS`.
        channels_last: the memory format of networks and pictures.
        players: `{player: [networks]}`.
        device: where networks and pictures are, and random numbers are drawn.
        autocast: whether forward passes compute in bfloat16 where autocast deems it safe; weights,
            Adam and what is made of logits stay float32.
        compiled: whether the `losses` are.
        adam: settings of each player's Adam.
    """

    losses = ("d_loss", "g_loss")

    def __init__(
        self, row, channels_last, players, device="cpu", autocast=False, compiled=False, **adam
    ):
        self.row, self.players, self.device = row, players, torch.device(device)
        self.autocast, self.memory_format = autocast, memory_format(channels_last)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # shapes stay the same
            torch.set_float32_matmul_precision("high")  # TF32, which convolutions use by default
        if row.networks in ("dcgan", "translation"):
            for weight in self.weights():
                if weight.dim() > 1:
                    torch.nn.init.normal_(weight, std=0.02)
        for network in itertools.chain(*players.values()):
            network.to(self.device, memory_format=self.memory_format)
        self.optimizers = {
            player: torch.optim.Adam(list(self.weights(player)), fused=True, **adam)
            for player in players
        }
        self.reals = itertools.cycle(random_reals(row, EPOCH, channels_last, self.device))
        if compiled:
            # Past 8 graphs a method is eager, and those of earlier contenders count.
            torch.compiler.reset()
            for name in self.losses:
                setattr(self, name, torch.compile(getattr(self, name), dynamic=False))

    def weights(self, *players):
        networks = itertools.chain(*(self.players[p] for p in players or self.players))
        return itertools.chain(*(network.parameters() for network in networks))

    def parameters(self):
        """`{player: number of trainable values}`."""
        return {player: sum(w.numel() for w in self.weights(player)) for player in self.players}

    def latents(self):
        return torch.randn(self.row.batch, self.row.latent_dim, device=self.device)

    def precision(self):
        """The context of forward passes; backward ones take their types from those, outside it.

        Within one, a weight is cast once, however many passes read it.
        """
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

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
        self.synchronize()
        begin = time.perf_counter()
        for reals in itertools.islice(self.reals, steps):
            self.step(reals)
        self.synchronize()
        return time.perf_counter() - begin

    def synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def first_step(self):
        self.run(1)

    def flops(self):
        return count_flops(self.row)

    def memory(self):
        """The most bytes of a GPU that tensors took at a time; `None` on a CPU."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return None


class DCGAN(Contender):
    def __init__(self, row, channels_last, **form):
        g = dcgan_generator(row, channels_last)
        d = dcgan_discriminator(row, batch_norm, channels_last)
        players = {"discriminator": [d], "generator": [g]}
        adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7}
        super().__init__(row, channels_last, players, **adam, **form)
        self.generator, self.discriminator = g, d

    def latents(self):
        latents = torch.empty(self.row.batch, self.row.latent_dim, device=self.device)
        return latents.uniform_(-1, 1)

    def step(self, reals):
        d_loss = self.descend("discriminator", self.d_loss(reals))
        self.train("discriminator", False)
        g_loss = self.descend("generator", self.g_loss())
        self.train("discriminator", True)
        return d_loss, g_loss

    def d_loss(self, reals):
        with self.precision():
            with torch.no_grad():
                fakes = self.generator(self.latents())
            # Apart, since each has batch statistics of its own.
            real_logits, fake_logits = self.discriminator(reals), self.discriminator(fakes)
        real_loss = F.softplus(-real_logits.float()).mean()
        return real_loss + F.softplus(fake_logits.float()).mean()

    def g_loss(self):
        with self.precision():
            fake_logits = self.discriminator(self.generator(self.latents()))
        return F.softplus(-fake_logits.float()).mean()


class WGANGP(Contender):
    critic_name, drift_weight = "critic", 0.0

    def __init__(self, row, channels_last, **form):
        if row.networks == "residual":
            generator, critic = residual_generator(row, channels_last), residual_critic(row)
        else:
            generator = dcgan_generator(row, channels_last)
            critic = dcgan_discriminator(row, layer_norm, channels_last)
        adam = {"lr": 1e-4, "betas": (0.0, 0.9), "eps": 1e-7}
        self.set_up(row, channels_last, generator, critic, **adam, **form)

    def set_up(self, row, channels_last, generator, critic, **settings):
        players = {self.critic_name: [critic], "generator": [generator]}
        super().__init__(row, channels_last, players, **settings)
        self.generator, self.critic = generator, critic

    def prepared(self, reals):
        return reals

    def step(self, reals):
        n = self.row.minibatches_per_step
        for k in range(n):
            minibatch = reals[k::n].contiguous(memory_format=self.memory_format)
            critic_loss = self.critic_step(minibatch)
        self.train(self.critic_name, False)
        g_loss = self.descend("generator", self.g_loss())
        self.train(self.critic_name, True)
        return critic_loss, g_loss

    def critic_step(self, reals):
        loss, interpolates = self.d_loss(reals)
        return self.descend(self.critic_name, loss + 10.0 * self.penalty(interpolates))

    def d_loss(self, reals):
        """The loss but for the penalty, and the pictures for that."""
        with torch.no_grad():
            reals = self.prepared(reals)
            with self.precision():
                fakes = self.generator(self.latents())
            places = torch.rand(len(reals), 1, 1, 1, device=self.device)
            interpolates = torch.lerp(fakes.float(), reals, places)
        with self.precision():
            real_logits, fake_logits = self.critic(reals), self.critic(fakes)
        real_logits = real_logits.float()
        loss = fake_logits.float().mean() - real_logits.mean()
        if self.drift_weight:
            loss = loss + self.drift_weight * real_logits.square().mean()
        return loss, interpolates

    def penalty(self, interpolates):
        # Never compiled, with the same weights: a compiled graph has no second derivatives.
        with self.precision():
            logits = self.critic(interpolates.requires_grad_())
        inputs = logits.float().sum(), interpolates
        (gradients,) = torch.autograd.grad(*inputs, create_graph=True)
        norms = (gradients.square().sum((1, 2, 3)) + 1e-12).sqrt()
        return (norms - 1.0).square().mean()

    def g_loss(self):
        with self.precision():
            fake_logits = self.critic(self.generator(self.latents()))
        return -fake_logits.float().mean()


class ProGAN(WGANGP):
    critic_name, drift_weight = "discriminator", 1e-3

    def __init__(self, row, channels_last, **form):
        networks = ProGANGenerator(row, channels_last), ProGANDiscriminator(row, channels_last)
        adam = {"lr": 1e-3, "betas": (0.0, 0.99), "eps": 1e-8}
        self.set_up(row, channels_last, *networks, **adam, **form)
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
    def __init__(self, row, channels_last, **form):
        self.a_to_b, self.b_to_a = resnet_generator(row), resnet_generator(row)
        self.d_a, self.d_b = patchgan_discriminator(row), patchgan_discriminator(row)
        self.buffer_a, self.buffer_b = ImageBuffer(), ImageBuffer()
        players = {
            "generator": [self.a_to_b, self.b_to_a],
            "discriminator": [self.d_a, self.d_b],
        }
        adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7}
        super().__init__(row, channels_last, players, **adam, **form)

    def step(self, reals):
        reals_a, reals_b = reals
        self.train("discriminator", False)
        g_loss, fakes_a, fakes_b = self.g_loss(reals_a, reals_b)
        g_loss = self.descend("generator", g_loss)
        self.train("discriminator", True)

        fakes_a, fakes_b = self.buffer_a(fakes_a), self.buffer_b(fakes_b)
        d_loss = self.d_loss(reals_a, reals_b, fakes_a, fakes_b)
        return self.descend("discriminator", d_loss), g_loss

    def g_loss(self, reals_a, reals_b):
        """The loss, and the fakes."""
        with self.precision():
            fakes_b, fakes_a = self.a_to_b(reals_a), self.b_to_a(reals_b)
            fake_logits_b, fake_logits_a = self.d_b(fakes_b), self.d_a(fakes_a)
            cycled_a, cycled_b = self.b_to_a(fakes_b), self.a_to_b(fakes_a)
            same_a, same_b = self.b_to_a(reals_a), self.a_to_b(reals_b)
        loss = squares(fake_logits_b, 1) + squares(fake_logits_a, 1)
        loss = loss + 10.0 * (distance(cycled_a, reals_a) + distance(cycled_b, reals_b))
        loss = loss + 5.0 * (distance(same_a, reals_a) + distance(same_b, reals_b))
        return loss, fakes_a.detach(), fakes_b.detach()

    def d_loss(self, reals_a, reals_b, fakes_a, fakes_b):
        with self.precision():
            real_logits_a, fake_logits_a = self.d_a(reals_a), self.d_a(fakes_a)
            real_logits_b, fake_logits_b = self.d_b(reals_b), self.d_b(fakes_b)
        loss = squares(real_logits_a, 1) + squares(fake_logits_a, 0)
        loss = loss + squares(real_logits_b, 1) + squares(fake_logits_b, 0)
        return 0.5 * loss


def squares(logits, target):
    return (logits.float() - target).square().mean()


def distance(fakes, reals):
    return F.l1_loss(fakes.float(), reals)


# What the table is made with


def memory_format(channels_last):
    return torch.channels_last if channels_last else torch.contiguous_format


def build(row, channels_last=False, device="cpu", autocast=False, compiled=False):
    """The contender of a row, in either memory format."""
    algorithms = {"dcgan": DCGAN, "wgan_gp": WGANGP, "cyclegan": CycleGAN, "progan": ProGAN}
    form = {"device": device, "autocast": autocast, "compiled": compiled}
    return algorithms[row.algorithm](row, channels_last, **form)


make = build


def random_reals(row, num_steps, channels_last, device="cpu"):
    """A list of what `step` takes: U(-1, 1) pictures (examples, C, H, W), or pairs of them."""
    height, width, channels = row.shape

    def pictures():
        reals = torch.empty(row.examples_per_step, channels, height, width, device=device)
        return reals.uniform_(-1, 1).contiguous(memory_format=memory_format(channels_last))

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
