"""The networks of `contender_torch`: those of `keras_gans.networks`, written in PyTorch."""

import itertools
import random

import torch
import torch.nn.functional as F
from torch import nn

# Parts


class Maps(nn.Module):
    """(batch, C * h * w) to maps (batch, C, h, w), in the memory format, without a copy."""

    def __init__(self, channels, size, channels_last):
        super().__init__()
        self.channels, self.size, self.channels_last = channels, size, channels_last

    def forward(self, x):
        if self.channels_last:
            return x.view(-1, *self.size, self.channels).permute(0, 3, 1, 2)
        return x.view(-1, self.channels, *self.size)


class Flat(nn.Module):
    """Maps to vectors, in the order of the memory format, without a copy where maps are in it.

    The order is not that of the maps at hand: some operations leave the memory format, and others
    do where they are compiled, but a matrix that reads the vectors is one for all passes.
    """

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        return (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)


class Upsample(nn.Module):
    """Nearest neighbours, twice as many; autocast on a GPU would take them in float32."""

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return F.interpolate(x, scale_factor=2)


class Sum(nn.Module):
    """The sum of a block's ways."""

    def __init__(self, *ways):
        super().__init__()
        self.ways = nn.ModuleList(ways)

    def forward(self, x):
        a, b = (way(x) for way in self.ways)
        return a + b


def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.1)


def layer_norm(channels):
    return nn.GroupNorm(1, channels)


def instance_norm(channels):
    # Its batch is 1, so that this is instance normalization, and faster than `nn.InstanceNorm2d`.
    return nn.BatchNorm2d(channels, track_running_stats=False)


def leaky():
    return nn.LeakyReLU(0.2, inplace=True)


def relu():
    return nn.ReLU(inplace=True)


def sizes_of(shape, smallest=4):
    """Sizes from the smallest maps' to the picture's; one side, since all rows are square."""
    sizes = [shape[0]]
    while sizes[0] % 2 == 0 and sizes[0] >= 2 * smallest:
        sizes.insert(0, sizes[0] // 2)
    return sizes


# The networks of DCGAN


def dcgan_generator(row, channels_last):
    sizes, channels = sizes_of(row.shape), row.shape[2]
    filters = [row.width * min(2**k, 8) for k in range(len(sizes) - 1)][::-1]
    size = (sizes[0], sizes[0])
    parts = [nn.Linear(row.latent_dim, filters[0] * sizes[0] ** 2, bias=False)]
    parts += [Maps(filters[0], size, channels_last), batch_norm(filters[0]), relu()]
    for ins, outs in itertools.pairwise(filters):
        parts += [nn.ConvTranspose2d(ins, outs, 4, 2, 1, bias=False), batch_norm(outs), relu()]
    return nn.Sequential(*parts, nn.ConvTranspose2d(filters[-1], channels, 4, 2, 1), nn.Tanh())


def dcgan_discriminator(row, norm, channels_last):
    sizes = sizes_of(row.shape)
    filters = [row.width * min(2**k, 8) for k in range(len(sizes) - 1)]
    parts = [nn.Conv2d(row.shape[2], filters[0], 4, 2, 1), leaky()]
    for ins, outs in itertools.pairwise(filters):
        parts += [nn.Conv2d(ins, outs, 4, 2, 1, bias=False), norm(outs), leaky()]
    return nn.Sequential(*parts, Flat(channels_last), nn.Linear(filters[-1] * sizes[0] ** 2, 1))


# The residual networks of Gulrajani et al.


def residual_generator(row, channels_last):
    sizes, n = sizes_of(row.shape), row.width
    size = (sizes[0], sizes[0])
    parts = [nn.Linear(row.latent_dim, n * sizes[0] ** 2), Maps(n, size, channels_last)]
    for _ in sizes[1:]:
        way = [batch_norm(n), relu(), Upsample()]
        way += [nn.Conv2d(n, n, 3, 1, 1, bias=False), batch_norm(n), relu()]
        way += [nn.Conv2d(n, n, 3, 1, 1, bias=False)]
        shortcut = [nn.Conv2d(n, n, 1, bias=False), Upsample()]
        parts.append(Sum(nn.Sequential(*way), nn.Sequential(*shortcut)))
    parts += [batch_norm(n), relu(), nn.Conv2d(n, row.shape[2], 3, 1, 1), nn.Tanh()]
    return nn.Sequential(*parts)


def residual_critic(row):
    n, parts = row.width, []
    for k in range(len(sizes_of(row.shape, 7)) - 1):
        ins = n if k else row.shape[2]
        # The shortcut reads what the first ReLU reads, so that one is not in place.
        way = [nn.ReLU()] if k else []
        way += [nn.Conv2d(ins, n, 3, 1, 1), relu(), nn.Conv2d(n, n, 3, 1, 1), nn.AvgPool2d(2)]
        shortcut = [nn.AvgPool2d(2), nn.Conv2d(ins, n, 1)]
        parts.append(Sum(nn.Sequential(*way), nn.Sequential(*shortcut)))
    for _ in range(2):
        way = [nn.ReLU(), nn.Conv2d(n, n, 3, 1, 1), relu(), nn.Conv2d(n, n, 3, 1, 1)]
        parts.append(Sum(nn.Sequential(*way), nn.Identity()))
    return nn.Sequential(*parts, relu(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, 1))


# The networks of CycleGAN


def resnet_generator(row):
    n, channels = row.width, row.shape[2]

    def reflecting(ins, outs, kernel_size, **kwargs):
        padding = {"padding": kernel_size // 2, "padding_mode": "reflect"}
        return nn.Conv2d(ins, outs, kernel_size, **padding, **kwargs)

    parts = [reflecting(channels, n, 7, bias=False), instance_norm(n), relu()]
    for ins in (n, 2 * n):
        outs = 2 * ins
        parts += [nn.Conv2d(ins, outs, 3, 2, 1, bias=False), instance_norm(outs), relu()]
    for _ in range(6):
        way = [reflecting(4 * n, 4 * n, 3, bias=False), instance_norm(4 * n), relu()]
        way += [reflecting(4 * n, 4 * n, 3, bias=False), instance_norm(4 * n)]
        parts.append(Sum(nn.Identity(), nn.Sequential(*way)))
    for ins in (4 * n, 2 * n):
        outs = ins // 2
        parts += [nn.ConvTranspose2d(ins, outs, 3, 2, 1, output_padding=1, bias=False)]
        parts += [instance_norm(outs), relu()]
    return nn.Sequential(*parts, reflecting(n, channels, 7), nn.Tanh())


def patchgan_discriminator(row):
    filters = [row.width * min(2**k, 8) for k in range(4)]
    parts = [nn.Conv2d(row.shape[2], filters[0], 4, 2, 1), leaky()]
    for (ins, outs), stride in zip(itertools.pairwise(filters), (2, 2, 1), strict=True):
        parts += [nn.Conv2d(ins, outs, 4, stride, 1, bias=False), instance_norm(outs), leaky()]
    return nn.Sequential(*parts, nn.Conv2d(filters[-1], 1, 4, 1, 1))


class ImageBuffer:
    """50 pictures of the past; each new one is given back, or takes the place of one that is."""

    def __init__(self, size=50):
        self.size, self.images = size, []

    def __call__(self, fakes):
        returned = []
        for fake in fakes.detach().split(1):
            if len(self.images) < self.size:
                self.images.append(fake)
            elif random.random() < 0.5:
                k = random.randrange(self.size)
                fake, self.images[k] = self.images[k], fake
            returned.append(fake)
        return torch.cat(returned)


# The networks of progressive growing

GAIN = 2**0.5


class EqualizedConv(nn.Conv2d):
    def __init__(self, ins, outs, kernel_size, gain=GAIN):
        super().__init__(ins, outs, kernel_size, padding=kernel_size // 2)
        self.scale = gain / (ins * kernel_size**2) ** 0.5
        nn.init.normal_(self.weight), nn.init.zeros_(self.bias)

    def forward(self, x):
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class EqualizedLinear(nn.Linear):
    def __init__(self, ins, outs, gain=GAIN, bias=True, fan_in=None):
        super().__init__(ins, outs, bias)
        self.scale = gain / (fan_in or ins) ** 0.5
        nn.init.normal_(self.weight)
        if bias:
            nn.init.zeros_(self.bias)

    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias)


class PixelNorm(nn.Module):
    def forward(self, x):
        # Autocast takes the root in float32, to which it would promote the maps as well.
        mean_square = x.square().mean(1, keepdim=True, dtype=torch.float32)
        return x * torch.rsqrt(mean_square + 1e-8).to(x.dtype)


class ChannelBias(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x):
        return x + self.bias


class MinibatchStdDev(nn.Module):
    def forward(self, x, group=4):
        variance = x.float().unflatten(0, (-1, group)).var(1, unbiased=False)
        deviation = (variance + 1e-8).sqrt().mean((1, 2, 3)).repeat_interleave(group).to(x.dtype)
        return torch.cat([x, deviation.view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], 1)


def progan_filters(row):
    return [min(row.width // 2 ** (k + 1), 128) for k in range(len(sizes_of(row.shape)))]


class ProGANGenerator(nn.Module):
    def __init__(self, row, channels_last):
        super().__init__()
        filters, size = progan_filters(row), sizes_of(row.shape)[0]
        n, d, fan_in = filters[0], row.latent_dim, row.latent_dim * size**2

        def block(ins, outs):
            return [EqualizedConv(ins, outs, 3), leaky(), PixelNorm()]

        parts = [PixelNorm(), EqualizedLinear(d, n * size**2, bias=False, fan_in=fan_in)]
        parts += [Maps(n, (size, size), channels_last), ChannelBias(n), leaky(), PixelNorm()]
        stages = [nn.Sequential(*parts, *block(n, n))]
        for ins, outs in itertools.pairwise(filters):
            parts = [Upsample(), *block(ins, outs), *block(outs, outs)]
            stages.append(nn.Sequential(*parts))
        self.stages, self.last = nn.Sequential(*stages[:-1]), stages[-1]
        self.to_rgb = EqualizedConv(filters[-1], row.shape[2], 1, gain=1.0)
        self.old_to_rgb = None
        if len(filters) > 1:
            old_to_rgb = EqualizedConv(filters[-2], row.shape[2], 1, gain=1.0)
            self.old_to_rgb = nn.Sequential(old_to_rgb, Upsample())

    def forward(self, latents):
        x = self.stages(latents)
        pictures = self.to_rgb(self.last(x))
        if self.old_to_rgb is None:
            return pictures
        return torch.lerp(self.old_to_rgb(x), pictures, 0.5)


class ProGANDiscriminator(nn.Module):
    def __init__(self, row, channels_last):
        super().__init__()
        filters, size = progan_filters(row)[::-1], sizes_of(row.shape)[0]
        n, channels = filters[-1], row.shape[2]

        def block(ins, outs):
            return [EqualizedConv(ins, outs, 3), leaky()]

        def from_rgb(outs):
            return nn.Sequential(EqualizedConv(channels, outs, 1), leaky())

        stages = [
            nn.Sequential(*block(ins, ins), *block(ins, outs), nn.AvgPool2d(2))
            for ins, outs in itertools.pairwise(filters)
        ]
        parts = [MinibatchStdDev(), *block(n + 1, n), Flat(channels_last)]
        parts += [EqualizedLinear(n * size**2, n), leaky(), EqualizedLinear(n, 1, gain=1.0)]
        last = nn.Sequential(*parts)
        self.first, self.stages = (stages or [None])[0], nn.Sequential(*stages[1:], last)
        self.from_rgb = from_rgb(filters[0])
        self.old_from_rgb = from_rgb(filters[1]) if stages else None

    def forward(self, pictures):
        x = self.from_rgb(pictures)
        if self.first is not None:
            x = torch.lerp(self.old_from_rgb(F.avg_pool2d(pictures, 2)), self.first(x), 0.5)
        return self.stages(x)
