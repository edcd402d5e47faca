"""The laboratory's mixtures and LSGAN's stability: the tables' numbers, and what runs again."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gans.datasets import points
from keras_gans.images import read_png, save_png

LAB = Path(__file__).parents[1] / "examples" / "lab"


def script(name):
    """A script's module; what it imports from beside it is found as when it is run."""
    sys.path.insert(0, str(LAB))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(LAB))


mixtures, stability = script("mixtures"), script("lsgan_stability")


def near(centre, num, offset):
    return np.tile(points.RING_CENTRES[centre] + np.array([0.0, offset]), (num, 1))


# 46 samples: 25 good ones of mode 0, 20 of mode 2, and one of mode 4 that is just too far away.
SAMPLES = np.concatenate([near(0, 25, 0.0), near(2, 20, 0.0299), near(4, 1, 0.0301)])
ROW = {"algorithm": "GAN", "set": "ring", "seed": 0, "steps": 40, "settings": "Adam"}


def test_measured_by_hand():
    measured = mixtures.measure("ring", SAMPLES.astype("float32"))
    assert measured["modes"] == 2 and measured["modes_strict"] == 2
    assert measured["high_quality"] == pytest.approx(45 / 46)
    shares = np.array([25, 20, 1]) / 46
    assert measured["kl"] == pytest.approx(float((shares * np.log(8 * shares)).sum()), abs=1e-6)
    assert mixtures.measure("ring", SAMPLES[1:].astype("float32"))["modes_strict"] == 2
    assert mixtures.measure("ring", SAMPLES[:-2].astype("float32"))["modes_strict"] == 1


def test_table_of_mixtures():
    measured = {"modes_strict": 2.0, "high_quality": 0.5, "kl": 0.25, "fingerprint": "f"}
    rows = [
        {**ROW, **measured, "modes": 4.0},
        {**ROW, **measured, "modes": 7.0, "seed": 1, "high_quality": 0.75},
        {**ROW, **measured, "modes": 8.0, "algorithm": "R3GAN"},
    ]
    lines = mixtures.table(rows).splitlines()
    # The deviations of 4 and 7, and of 50 and 75, are 3 / sqrt(2) and 25 / sqrt(2).
    assert "| GAN | 5.5 ± 2.1 | 2.0 ± 0.0 | 62.5 ± 17.7 | 0.250 ± 0.000 | 40 | 2 | Adam |" in lines
    assert "| R3GAN | 8.0 | 2.0 | 50.0 | 0.250 | 40 | 1 | Adam |" in lines


@pytest.mark.slow
def test_finished_runs_are_not_run_again(tmp_path, monkeypatch):
    out, trained = tmp_path / "out", []

    def run(gan, set_name, seed, steps, batch_size, frames_path=None):
        trained.append((set_name, seed, steps, type(gan).__name__))
        if frames_path:
            frames_path.parent.mkdir(exist_ok=True)
            np.save(frames_path, np.zeros((2, 50, 2), "float32"))
        return {**mixtures.measure(set_name, SAMPLES), "seconds": 0.0}

    monkeypatch.setattr(mixtures, "run", run)

    def call(*more):
        trained.clear()
        mixtures.main(["--out", str(out), "--sets", "ring", "--seeds", "2", *more])
        return list(trained)

    two = ("--algorithms", "GAN,WGAN", "--steps", "80")
    runs = [("ring", seed, *r) for seed in (0, 1) for r in ((80, "GAN"), (40, "WGAN"))]
    assert call(*two) == runs
    table = (out / "table.md").read_text()
    assert call(*two) == []
    assert (out / "table.md").read_text() == table
    assert read_png(out / "ring.png").ndim == 3 and (out / "ring.gif").exists()
    monkeypatch.setattr(mixtures, "draw", lambda *arguments: None)
    assert [r[2] for r in call("--algorithms", "GAN", "--steps", "40")] == [40, 40]
    monkeypatch.setattr(mixtures.models, "LAST_RATE", 2e-5)
    assert len(call(*two)) == 4

    file = out / "runs.jsonl"
    lines = file.read_text().splitlines()
    assert len(lines) == 10
    file.write_text("\n".join(lines)[:-9])  # a run that was cut short while it was written
    assert call(*two) == runs[-1:]
    assert call(*two) == []


def test_all_algorithms_get_the_same():
    weights, rates = set(), []
    for name, build in mixtures.models.ALGORITHMS.items():
        if name == mixtures.models.LONG:  # no part of the comparison
            continue
        gan = build("ring", 3, 60)
        weights.add(gan.generator.count_params())
        critic = next(player for player in gan.players if player != "generator")
        updates = 60 * (gan.n_critic if "WGAN" in name else 1)
        for player, last in (("generator", 60), (critic, updates)):
            schedule = gan.optimizer_of(player)._learning_rate
            rates.append([float(schedule(0)), float(schedule(last // 2)), float(schedule(last))])
        assert gan.ema_decay == mixtures.models.EMA_DECAY and gan.seed == 3
    assert len(weights) == 1
    first, last = mixtures.models.FIRST_RATE, mixtures.models.LAST_RATE
    np.testing.assert_allclose(rates, [[first, (first + last) / 2, last]] * len(rates), rtol=1e-3)


def test_settings_are_told_apart():
    build = mixtures.models.simple
    models = [
        build(mixtures.models.WGANGP, mixtures.models.adam(0.0, 0.9), gp_weight=0.1),
        build(mixtures.models.WGANGP, mixtures.models.adam(0.0, 0.9), gp_weight=0.1),
        build(mixtures.models.WGANGP, mixtures.models.adam(0.0, 0.9), gp_weight=0.2),
        build(mixtures.models.WGANGP, mixtures.models.adam(0.5, 0.9), gp_weight=0.1),
    ]
    models = [build("ring", 0, 40) for build in models]
    prints = [mixtures.fingerprint(gan, 128) for gan in models]
    assert prints[0] == prints[1] and len(set(prints)) == 3
    assert mixtures.fingerprint(models[0], 256) != prints[0]
    assert mixtures.described(models[0]) == "Adam(0, 0.9), n_critic 5, gp_weight 0.1"


def test_one_run(tmp_path, capsys):
    arguments = ["--sets", "ring", "--algorithms", "GAN", "--seeds", "1", "--steps", "2"]
    mixtures.main([*arguments, "--out", str(tmp_path)])
    (row,) = map(json.loads, (tmp_path / "runs.jsonl").read_text().splitlines())
    frames = np.load(tmp_path / row["frames"])
    assert frames.shape == (3, 1000, 2) and np.isfinite(frames).all()
    assert (frames[0] != frames[1]).any() and (frames[1] != frames[2]).any()
    assert "| GAN | " in capsys.readouterr().out


@pytest.mark.slow
def test_algorithms_with_networks_of_their_own_run(tmp_path):
    names = "BEGAN,minibatch GAN"
    arguments = ["--sets", "grid", "--algorithms", names, "--seeds", "1", "--steps", "2"]
    mixtures.main([*arguments, "--out", str(tmp_path)])
    rows = list(map(json.loads, (tmp_path / "runs.jsonl").read_text().splitlines()))
    assert [row["algorithm"] for row in rows] == names.split(",")


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (mixtures, ["--sets", "ring,disc"], "`sets` must be among ring, grid. Received: 'disc'"),
        (mixtures, ["--algorithms", "GAN,gam"], "`algorithms` must be among GAN, .*'gam'"),
        (mixtures, ["--seeds", "0"], "`seeds` must be at least 1. Received: 0"),
        (mixtures, ["--steps", "0"], "`steps` must be a multiple of 40"),
        (mixtures, ["--steps", "60"], "`steps` must be a multiple of 40.*Received: 60"),
        (stability, ["--losses", "WGAN"], "`losses` must be among GAN, LSGAN. Received: 'WGAN'"),
        (stability, ["--optimizers", "SGD"], "`optimizers` must be among Adam, RMSprop"),
        (stability, ["--batch-norm", "all"], "`batch-norm` must be among none, disc.*'all'"),
        (stability, ["--num", "5"], "`num` must be at least 6. Received: 5"),
        (stability, ["--seed", "-1"], "`seed` must be at least 0. Received: -1"),
    ],
)
def test_bad_arguments_are_refused(module, arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit):
        module.main([*arguments, "--out", str(tmp_path / "out")])
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


MEASURED = {"reals_ms_ssim": 0.2, "reals_spread": 0.4, "fid": 12.0, "coverage": 0.5}


@pytest.mark.parametrize(
    ("ms_ssim", "spread", "diverged", "expected"),
    [
        (0.29, 0.4, False, "no"),
        (0.31, 0.4, False, "yes"),
        (0.1, 0.011, False, "yes"),
        (0.1, 0.013, False, "no"),
        (0.9, 0.0, True, "diverged"),
    ],
)
def test_rule_of_collapse(ms_ssim, spread, diverged, expected):
    row = {**MEASURED, "ms_ssim": ms_ssim, "spread": spread, "diverged": diverged}
    assert stability.verdict(row) == expected


def test_spread_by_hand():
    """Black and white in turn are 1 apart; with a third, equal pair the median is still 1."""
    pictures = np.zeros((4, 2, 2, 1), "uint8")
    assert stability.spread(pictures) == 0
    pictures[::2] = 255
    assert stability.spread(pictures) == 1
    pictures[::2, 0] = 0  # half of the pixels differ
    assert stability.spread(pictures) == pytest.approx(0.5**0.5)


def test_batch_normalization_is_where_it_is_named():
    def normalized(network):
        return any("BatchNormalization" in type(layer).__name__ for layer in network.layers)

    for place, where in (
        ("none", (False, False)),
        ("discriminator", (False, True)),
        ("generator", (True, False)),
        ("both", (True, True)),
    ):
        gan = stability.build("LSGAN", "RMSprop", place, seed=0)
        assert (normalized(gan.generator), normalized(gan.discriminator)) == where
    assert type(gan).__name__ == "LSGAN"
    assert type(gan.generator_optimizer).__name__ == "RMSprop"


def test_finished_configurations_are_not_run_again(tmp_path, monkeypatch, capsys):
    trained = []

    def run(settings, out):
        trained.append(settings["loss"])
        save_png(out / "samples.png", np.zeros((29, 29, 1), "uint8"))
        ms_ssim = {"GAN": 0.5, "LSGAN": 0.2}[settings["loss"]]
        row = {**MEASURED, "ms_ssim": ms_ssim, "spread": 0.2, "diverged": False}
        return {**row, "settings": settings, "samples": "samples.png", "seconds": 1.0}

    monkeypatch.setattr(stability, "run", run)
    arguments = ["--out", str(tmp_path), "--optimizers", "Adam", "--batch-norm", "none"]
    stability.main(arguments)
    stability.main(arguments)
    assert trained == ["GAN", "LSGAN"]
    table = (tmp_path / "table.md").read_text().splitlines()
    assert "| GAN | Adam | none | yes | 0.500 | 50% | 0.50 | 12.0 |" in table
    assert "| LSGAN | Adam | none | no | 0.200 | 50% | 0.50 | 12.0 |" in table
    stability.main([*arguments, "--steps", "40"])
    assert len(trained) == 4


@pytest.mark.slow
def test_one_configuration(tmp_path):
    arguments = ["--losses", "LSGAN", "--optimizers", "Adam", "--batch-norm", "generator"]
    stability.main([*arguments, "--steps", "2", "--num", "50", "--out", str(tmp_path)])
    (row,) = map(json.loads, (tmp_path / "runs.jsonl").read_text().splitlines())
    assert row["reals_spread"] > 0.2 and 0 < row["reals_ms_ssim"] < 0.5 and not row["diverged"]
    assert read_png(tmp_path / row["samples"]).shape == (6 * 29 + 1, 6 * 29 + 1, 1)
