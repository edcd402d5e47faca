"""The metrics that `evaluate` knows by name: what they suit, and how they are made."""

from keras_gans.catalogue import SETS
from keras_gans.datasets import points
from keras_gans.metrics._base import GenerativeMetric
from keras_gans.metrics.fashion import fashion_mnist_classifier
from keras_gans.metrics.features import Extractor
from keras_gans.metrics.fid import FID
from keras_gans.metrics.inception_score import InceptionScore
from keras_gans.metrics.kid import KID
from keras_gans.metrics.mode_score import ModeScore
from keras_gans.metrics.modes import ModeCoverage, StackedModes
from keras_gans.metrics.ms_ssim import MSSSIM
from keras_gans.metrics.paired import L1, PSNR, SSIM, PairMetric, PixelAgreement
from keras_gans.metrics.path_length import PerceptualPathLength
from keras_gans.metrics.prdc import PRDC
from keras_gans.metrics.swd import SlicedWasserstein

SEEDS = 2**31  # `seed` is below it, and so is the number of batches
FASHION = (
    "fashion_mnist",
    "fashion_mnist_10k",
    "fashion_mnist_10k_edges",  # features of the classifier are some for these too
    "fashion_mnist_10k_negatives",
)
STACKED = ("stacked_fashion_mnist", "stacked_mnist_5k")
MIXTURES = {
    "ring": (points.RING_CENTRES, points.RING_SIGMA),
    "grid": (points.GRID_CENTRES, points.GRID_SIGMA),
    "two_gaussians": (points.TWO_GAUSSIANS_CENTRES, points.TWO_GAUSSIANS_SIGMA),
}
# By name: the least number of samples, the least side of pictures, and how it is made. The path
# length is of a model, and is made with it.
OF_FEATURES = {
    "fid": (2, 1, lambda e: FID(e.extractor)),
    "kid": (3, 1, lambda e: KID(e.extractor, e.capacity)),
    "prdc": (6, 1, lambda e: PRDC(e.extractor, e.capacity)),
    "is": (10, 1, lambda e: InceptionScore(e.extractor)),
    "mode_score": (1, 1, lambda e: ModeScore(e.extractor)),
    "ppl": (1, 1, lambda e: PathLength(e.extractor)),
}
OF_PICTURES = {
    "swd": (1, 7, lambda e: SlicedWasserstein(e.reals.shape, e.capacity)),
    "ms_ssim": (2, 16, lambda e: MSSSIM(e.reals.shape, e.capacity)),
}
OF_PAIRS = {
    "psnr": (1, 1, lambda e: PSNR()),
    "ssim": (1, 11, lambda e: SSIM()),
    "psnr_y": (1, 9, lambda e: PSNR("psnr_y", of_luminance=True, shave=4)),
    "ssim_y": (1, 19, lambda e: SSIM("ssim_y", of_luminance=True, shave=4)),
    "l1": (1, 1, lambda e: L1()),
    "pixel_agreement": (1, 1, lambda e: PixelAgreement()),
}
OF_COLOURS = ("psnr_y", "ssim_y")  # of the luminance of RGB
OF_POINTS = {"modes": (1, 1, lambda e: ModeCoverage(*MIXTURES[e.reals.set_name]))}
OF_STACKED = {"stacked_modes": (1, 1, lambda e: StackedModes(find_classifier(e)))}
METRICS = {**OF_FEATURES, **OF_PICTURES, **OF_PAIRS, **OF_POINTS, **OF_STACKED}


def check_metrics(metrics, reals, sources=None):
    """Raises ValueError unless all metrics suit some `Examples`; says which ones do."""
    if not metrics:
        raise ValueError("`metrics` must have at least one name. Received: none")
    possible = possible_metrics(reals, sources)
    for metric in metrics:
        if isinstance(metric, PerceptualPathLength):
            raise ValueError(
                "`metrics` must have the path length by its name, 'ppl'. Received: a metric"
            )
        if metric not in possible and not isinstance(metric, GenerativeMetric):
            what = f"{reals.set_name or 'these'}, {reals.kind.noun} of {reals.size_in_words}"
            raise ValueError(
                f"`metrics` must be among {', '.join(possible) or '(none)'} for {what}. "
                f"Received: {metric!r}{_hint(metric, reals, sources)}"
            )


def _hint(metric, reals, sources):
    """Why a metric that is known is not possible."""
    if metric not in METRICS:
        return ", which is no metric"
    if (metric in OF_POINTS) != (reals.kind.noun == "points"):
        return f", a metric of {'points' if metric in OF_POINTS else 'pictures'}"
    if metric in OF_PAIRS and sources is None:
        return ", a metric of pairs, for models that make pictures out of pictures"
    if metric in OF_COLOURS and reals.shape[-1] != 3:
        return ", a metric of pictures in colour"
    if metric == "ppl":
        return ", a metric of models with latents"
    if metric in OF_STACKED:
        return f", a metric of {' and '.join(STACKED)}"
    if metric in OF_POINTS:
        return ", a metric of mixtures whose centres are known"
    return f", a metric of pictures of at least {METRICS[metric][1]} pixels a side"


def check_numbers(metrics, num, num_reals, reals, sources=None):
    """Raises ValueError unless there are as many examples, and enough of them for the metrics."""
    paired = any(m in OF_PAIRS or isinstance(m, PairMetric) for m in metrics)
    for name, number, examples in (
        ("num_reals` (`num` where it is not given)", num_reals, reals),
        ("num`", num, sources),
        ("num`", num if paired else 0, reals),
    ):
        if examples is not None and number > examples.num:
            kind = "sources" if examples is sources else "reals"
            what = f" of {examples.set_name}" if examples.set_name else ""
            raise ValueError(
                f"`{name} must be at most {examples.num:,}, all {kind}{what}. Received: {number:,}"
            )
    if paired and (sources is None or sources.num != reals.num):
        raise ValueError(
            "`sources` and `reals` must be as many, for metrics of pairs. "
            f"Received: {sources and sources.num} and {reals.num}"
        )
    for metric in (metric for metric in metrics if isinstance(metric, str)):
        least, least_given = METRICS[metric][0], min(num, num_reals)
        if least_given < least:
            raise ValueError(
                f"`num` and `num_reals` must be at least {least} for {metric!r}. "
                f"Received: {least_given}"
            )
    swd = any(m == "swd" or isinstance(m, SlicedWasserstein) for m in metrics)
    if swd and num != num_reals:
        raise ValueError(f"`num_reals` must be `num`, {num:,}, for 'swd'. Received: {num_reals:,}")


def find_extractor(extractor, metrics, set_name):
    """The extractor that metrics by name need, or None; ValueError where it has to be given."""
    if extractor is not None and not isinstance(extractor, Extractor):
        raise ValueError(
            f"`extractor` must be an Extractor of keras_gans.metrics. Received: {extractor!r}"
        )
    needed = [metric for metric in metrics if metric in OF_FEATURES]
    if extractor is not None or not needed:
        return extractor
    if set_name in FASHION:
        return fashion_mnist_classifier()
    raise ValueError(
        f"`extractor` must be given for {', '.join(needed)}: only sets of Fashion-MNIST have a "
        f"default. Received: None, for {set_name or 'an array'}"
    )


def find_classifier(evaluation):
    """What tells the classes of the single pictures in a stack; ValueError where there is none."""
    extractor, set_name = evaluation.extractor, evaluation.reals.set_name
    classes = round(SETS[set_name].num_classes ** (1 / 3))
    if set_name == "stacked_fashion_mnist" and getattr(extractor, "num_classes", None) != classes:
        return fashion_mnist_classifier()
    if extractor is None or extractor.num_classes != classes:
        raise ValueError(
            f"`extractor` must tell the {classes} classes of single pictures for 'stacked_modes'. "
            "The package has one of Fashion-MNIST, and none of digits: "
            "CallableExtractor(function, name, (28, 28), 1, version) makes one of a function. "
            f"Received: {extractor and extractor.name}, for {set_name}"
        )
    return extractor


def possible_metrics(reals, sources=None):
    """The names of the metrics that suit some `Examples`."""
    if reals.kind.noun == "points":
        return [*OF_POINTS] if reals.set_name in MIXTURES else []
    known = {**OF_FEATURES, **OF_PICTURES, **(OF_STACKED if reals.set_name in STACKED else {})}
    if sources is not None:
        known = {name: row for name, row in {**known, **OF_PAIRS}.items() if name != "ppl"}
        if reals.shape[-1] != 3:
            known = {name: row for name, row in known.items() if name not in OF_COLOURS}
    return [name for name, (_, side, _) in known.items() if side <= min(reals.shape[:2])]


class PathLength:
    """What there is of a path length before the model is known."""

    name = "ppl"

    def __init__(self, extractor):
        self.extractor = extractor

    def of_model(self, model, sampler, num, batch_size, seed):
        """The metric, of `num` pairs of latents of a model, of which `sampler` makes pictures."""
        prior = {"normal": "spherical", "uniform": "linear"}[model.latent_prior]
        metric = PerceptualPathLength(
            lambda latents: sampler(latents, training=False),
            self.extractor,
            num,
            interpolation=prior,
            seed=seed,
        )
        for index, start in enumerate(range(0, num, batch_size)):
            pairs = min(batch_size, num - start)
            latents = model.generator_inputs(2 * pairs, batch_seed(seed, index))
            metric.update_state(latents[:pairs], latents[pairs:])
        return metric


def batch_seed(seed, index):
    """The seed of batch `index`; no two of them meet."""
    return seed * SEEDS + index
