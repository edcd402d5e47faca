import sys

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import fed, pictures

from keras_gans import CGAN, GAN, InfoGAN
from keras_gans.datasets import load
from keras_gans.datasets.points import RING_CENTRES, RING_SIGMA
from keras_gans.metrics import (
    FID,
    KID,
    PRDC,
    PSNR,
    CallableExtractor,
    Evaluation,
    ModeCoverage,
    PerceptualPathLength,
    RealsCache,
    evaluate,
    fashion_mnist_classifier,
    mean_absolute_error,
    structural_similarity,
)
from keras_gans.metrics._by_name import SEEDS
from keras_gans.metrics._progress import progress_bar
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

SHAPE = (16, 16, 1)
REALS = pictures(48, *SHAPE)


class Pixels(CallableExtractor):
    """16 pixels and three classes, and a count of the batches that were seen."""

    def __init__(self, version="1"):
        def function(x):
            flat = tf.reshape(x, (-1, 256))
            return flat[:, ::16], tf.nn.softmax(5 * flat[:, :3])

        super().__init__(function, "pixels", (16, 16), 1, version=version)
        self.calls = 0

    def _graph(self, shape):
        self.calls += 1
        return super()._graph(shape)


def generate(num, seed):
    return pictures(num, *SHAPE, seed=seed)


def gan(shape=SHAPE, num_classes=None):
    given = {"num_classes": num_classes} if num_classes else {}
    generator = build_mlp_generator(shape, 4, hidden=(16,), seed=0, **given)
    discriminator = build_mlp_discriminator(shape, hidden=(16,), seed=1, **given)
    return (CGAN if num_classes else GAN)(generator, discriminator, seed=0)


def test_it_is_what_the_metrics_give_on_these_samples():
    """Batch k has the seed `seed * 2^31 + k`, and the reals are the first of the set."""
    extractor = Pixels()
    measured = evaluate(
        generate,
        REALS,
        ["kid", "fid", "prdc"],
        24,
        num_reals=30,
        batch_size=10,
        seed=3,
        extractor=extractor,
    )
    seeds = [3 * 2**31 + k for k in range(3)]
    fakes = np.concatenate([generate(n, s) for n, s in zip((10, 10, 4), seeds, strict=True)])
    metrics = [KID(extractor, 30), FID(extractor), PRDC(extractor, 30)]
    for own, metric in zip(measured, metrics, strict=True):
        expected = fed(metric, REALS[:30], fakes, batch=10).measurement()
        assert own.metric == expected.metric
        assert own.values == pytest.approx(expected.values, rel=1e-9)
        assert own.protocol == {
            **expected.protocol,
            "size": "16 x 16 x 1",
            "reals_chosen": "the first 30 of 48",
            "samples": "seed 3, 10 at a time",
        }


def test_all_metrics_of_pictures_and_one_extraction_for_all():
    extractor = Pixels()
    names = ["fid", "kid", "prdc", "is", "mode_score", "swd", "ms_ssim", "ppl"]
    measured = evaluate(gan(), REALS, names, 40, batch_size=20, extractor=extractor)
    assert [m.metric for m in measured] == names
    assert extractor.calls == 4  # 2 batches of reals, 2 of samples; path length is another way
    assert all(np.isfinite(list(m.values.values())).all() for m in measured)


def test_every_measurement_begins_anew_and_reads_the_reals_once():
    extractor = Pixels()
    evaluation = Evaluation(REALS, ["fid", "kid"], batch_size=16, extractor=extractor)
    first = evaluation.measure(generate)
    assert extractor.calls == 6
    other = evaluation.measure(lambda num, seed: 255 - generate(num, seed))
    assert extractor.calls == 9
    assert evaluation.measure(generate) == first
    assert other[0].value > first[0].value
    assert first[0].better_than(other[0])


def test_a_loaded_set_is_read_in_its_own_order():
    """However it is shuffled and batched, and whatever is left over."""
    digits = load("fashion_mnist_10k", batch_size=64, seed=5)
    raw = next(iter(load("fashion_mnist_10k", batch_size=30, shuffle=False))).numpy()
    raw = np.uint8(np.rint((raw + 1) * 127.5))

    def noise(num, seed):
        return pictures(num, 28, 28, 1, seed=seed)

    of_set, of_array = (
        evaluate(noise, reals, ["swd"], 30, batch_size=7)[0] for reals in (digits, raw)
    )
    assert of_set.value == of_array.value
    assert of_set.protocol["reals_hash"] == of_array.protocol["reals_hash"]
    assert of_set.protocol["reals_chosen"] == "the first 30 of 10,000"
    assert of_array.protocol["reals_chosen"] == "all 30"


# Labels


def test_conditional_models_get_the_labels_of_the_reals_in_order():
    labels = np.arange(48) % 5
    asked = []

    def of_classes(num, seed, labels):
        asked.extend(labels)
        return generate(num, seed)

    settings = {"num_reals": 20, "batch_size": 8, "extractor": Pixels()}
    (measured,) = evaluate(of_classes, (REALS, labels), ["fid"], 33, **settings)
    np.testing.assert_array_equal(asked, np.resize(labels[:20], 33))
    assert measured.protocol["labels"] == "those of the reals, in order"


def test_a_conditional_gan_has_to_be_given_labels_of_its_classes():
    model = gan(num_classes=3)
    with pytest.raises(ValueError, match="`reals` must have labels"):
        evaluate(model, REALS, "swd", 8)
    wrong = load("fashion_mnist_10k", labels=True)
    with pytest.raises(ValueError, match="must have the 3 classes of the model"):
        evaluate(gan((28, 28, 1), 3), wrong, "swd", 8)
    (measured,) = evaluate(model, (REALS, np.arange(48) % 3), "swd", 8)
    fakes = model.generate(8, seed=0, labels=np.arange(8) % 3)
    assert measured.value == evaluate(lambda num, seed: fakes, REALS, "swd", 8)[0].value


def test_categories_that_a_model_finds_by_itself_are_no_labels():
    networks = InfoGAN.default_networks((2,), num_classes=4, latent_dim=6, seed=0)
    model = InfoGAN(**networks, seed=0)
    (measured,) = evaluate(model, load("ring", labels=True), "modes", 100)
    assert "labels" not in measured.protocol


# Points


def test_modes_of_the_ring():
    def half(num, seed):
        return RING_CENTRES[np.arange(num) % 4].astype("float32")

    (measured,) = evaluate(half, load("ring"), ["modes"], 400)
    assert measured.values["modes"] == 4 and measured.values["high_quality"] == 1.0
    assert measured.values["kl"] == pytest.approx(np.log(2))
    assert measured.protocol["sigma"] == RING_SIGMA


def test_points_that_are_given_as_an_array_have_their_metric_given():
    points = np.repeat(RING_CENTRES, 4, axis=0).astype("float32")
    with pytest.raises(ValueError, match="among \\(none\\) for these, points of 2"):
        evaluate(lambda num, seed: points[:num], points, "modes")
    coverage = ModeCoverage(RING_CENTRES, RING_SIGMA)
    coverage.update_state(points, points)  # what it was given before is forgotten
    (measured,) = evaluate(lambda num, seed: points[:num], points, coverage, 32, batch_size=32)
    assert measured.value == 8 and measured.protocol["reals"] == 32


def test_modes_of_stacked_pictures():
    """Of 300 reals as their own samples, and of grey ones, whose channels are of one class."""
    reals = load("stacked_fashion_mnist", batch_size=300, shuffle=False)
    rows = np.uint8(np.rint((next(iter(reals)).numpy() + 1) * 127.5))
    classify = fashion_mnist_classifier()
    named = [np.argmax(classify(rows[..., c : c + 1]).probabilities, axis=1) for c in range(3)]

    def same(num, seed):
        return rows[100 * (seed % SEEDS) :][:num]

    def grey(num, seed):
        return np.repeat(same(num, seed)[..., 2:], 3, axis=-1)

    (measured,), (of_grey,) = (
        evaluate(model, reals, "stacked_modes", 300) for model in (same, grey)
    )
    expected = len(set(zip(*named, strict=True)))
    assert measured.values == {"stacked_modes": expected, "kl": 0.0} and expected > 150
    assert of_grey.value == len(set(named[2])) and of_grey.values["kl"] == np.inf


def test_stacked_pictures_of_what_no_classifier_comes_with_the_package():
    with pytest.raises(ValueError, match=r"and none of digits.*None, for stacked_mnist_5k"):
        Evaluation(load("stacked_mnist_5k"), "stacked_modes", 10)
    with pytest.raises(ValueError, match=r"the 10 classes .* Received: pixels"):
        Evaluation(load("stacked_mnist_5k"), "stacked_modes", 10, extractor=Pixels())


# Pairs


def test_translations_and_pairs():
    """Against the functions of whole arrays, and by hand for the peak signal-to-noise ratio."""
    sources, settings = REALS[::-1].copy(), {"batch_size": 20, "extractor": Pixels()}
    names = ["fid", "psnr", "ssim", "l1"]

    def translate(given):
        return np.uint8(np.clip(given.astype(int) + 5, 0, 255))

    evaluation = Evaluation(REALS, names, sources=sources, **settings)
    fid, psnr, ssim, l1 = measured = evaluation.measure(translate)
    fakes = translate(sources)
    errors = np.square(REALS.astype(float) - fakes).mean(axis=(1, 2, 3))
    assert psnr.value == pytest.approx(np.mean(10 * np.log10(255**2 / errors)), rel=1e-6)
    assert ssim.value == pytest.approx(structural_similarity(REALS, fakes), rel=1e-5)
    assert l1.value == pytest.approx(mean_absolute_error(REALS, fakes), rel=1e-5)
    assert l1.lower_is_better and not psnr.lower_is_better
    expected = fed(FID(settings["extractor"]), REALS, fakes).result()
    assert fid.value == pytest.approx(expected, rel=1e-9)
    assert l1.protocol["samples"] == "translations of all 48"
    assert evaluation.measure(translate) == measured
    (other,) = evaluate(translate, REALS, PSNR(), sources=REALS)
    with pytest.raises(ValueError, match="sources_hash"):
        psnr.check_comparable(other)


def test_path_length():
    model, extractor = gan(), Pixels()
    (measured,) = evaluate(model, REALS, "ppl", 24, batch_size=10, extractor=extractor)
    metric = PerceptualPathLength(model, extractor, 24)
    for k, num in enumerate((10, 10, 4)):
        metric.update_state(*tf.split(model.generator_inputs(2 * num, k), 2))
    assert measured.value == pytest.approx(metric.result(), rel=1e-6)


# Cache


def test_the_cache_saves_the_extraction(tmp_path):
    cache, results, calls = RealsCache(tmp_path), [], []
    for extractor in (Pixels(), Pixels(), Pixels("2")):
        evaluation = Evaluation(
            REALS, ["fid", "kid", "swd"], batch_size=16, extractor=extractor, cache=cache
        )
        results.append([m.values for m in evaluation.measure(generate)])
        calls.append((extractor.calls, evaluation.from_cache))
    assert calls == [(6, []), (3, ["fid", "kid"]), (6, [])]
    assert results[0] == results[1]
    plain = Evaluation(REALS, ["fid", "kid", "swd"], batch_size=16, extractor=Pixels())
    assert [m.values for m in plain.measure(generate)] == results[0]


# Errors, all before anything is computed


BAD = {
    "an unknown metric": ((REALS, "fdi"), {}, "among fid, .* which is no metric"),
    "of points": ((load("ring"), "fid"), {}, "among modes for ring.* a metric of pictures"),
    "of pictures": ((REALS, "modes"), {}, "among fid, .*'modes', a metric of points"),
    "of stacks": ((REALS, "stacked_modes"), {}, "a metric of stacked_fashion_mnist and"),
    "of pairs": ((REALS, "psnr"), {}, "a metric of pairs"),
    "too small": ((REALS[:, :8], "ms_ssim"), {}, "at least 16 pixels a side"),
    "an unknown mixture": ((load("swiss_roll"), "modes"), {}, "whose centres are known"),
    "too many": ((REALS, "swd", 49), {}, "`num_reals` .* at most 48, all reals. Received: 49"),
    "too few": ((REALS, "prdc", 5), {}, "at least 6 for 'prdc'. Received: 5"),
    "unequal": ((REALS, "swd", 40), {"num_reals": 30}, "must be `num`, 40, for 'swd'"),
    "no extractor": ((REALS, ["swd", "kid"]), {}, "`extractor` must be given for kid"),
    "a strange extractor": ((REALS, "kid"), {"extractor": "fashion"}, "must be an Extractor"),
    "no metric": ((REALS, []), {}, "at least one name"),
    "twice": ((REALS, ["swd", "swd"]), {}, "different names"),
    "a large seed": ((REALS, "swd"), {"seed": 2**31}, "below 2\\^31"),
    "floats": ((REALS / 255.0, "swd"), {}, "`reals` must be uint8 pictures"),
    "labels": (((REALS, np.zeros(3, int)), "swd"), {}, "integers of shape \\(48,\\)"),
    "other sources": ((REALS, "l1"), {"sources": REALS[:9]}, "as many, for metrics of pairs"),
}


@pytest.mark.parametrize("case", BAD)
def test_errors(case):
    (reals, metrics, *num), settings, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        Evaluation(reals, metrics, *num, **settings)


def test_a_model_that_does_not_fit():
    def never(num, seed):
        raise AssertionError("nothing must be computed")

    evaluation = Evaluation(REALS, ["swd"])
    with pytest.raises(ValueError, match=r"shape of the model's samples, \(28, 28, 1\)"):
        evaluation.measure(gan((28, 28, 1)))
    with pytest.raises(ValueError, match="must generate samples"):
        evaluation.measure("a model")
    with pytest.raises(ValueError, match=r"uint8 samples of shape \(48, 16, 16, 1\)"):
        evaluation.measure(lambda num, seed: np.zeros((num, 16, 16, 1)))
    for model in (never, gan(num_classes=3)):
        reals = (REALS, np.arange(48) % 3)
        with pytest.raises(ValueError, match="'ppl' but for a model in memory"):
            Evaluation(reals, ["ppl"], extractor=Pixels()).measure(model)


def test_not_in_a_strategy(two_replicas):
    with two_replicas.scope(), pytest.raises(ValueError, match="outside of a strategy's scope"):
        Evaluation(REALS, ["swd"])


def test_progress_bar(monkeypatch, capsys):
    """It yields what it is given, and writes to terminals alone."""
    for is_terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda known=is_terminal: known, raising=False)
        with progress_bar() as track:
            assert list(track(iter("abc"), "Letters", 3)) == ["a", "b", "c"]
        written = capsys.readouterr()
        assert not written.out and ("Letters" in written.err) == is_terminal
    with progress_bar(shown=False) as track:
        list(track(iter("abc"), "Letters", 3))
    assert not capsys.readouterr().err
