"""The laboratory's scripts: their numbers against formulas, and what they write."""

import contextlib
import importlib
import json
import pathlib
import sys

import numpy as np
import pytest

LAB = pathlib.Path(__file__).parent.parent / "examples" / "lab"
LOG2 = np.log(2.0)


@contextlib.contextmanager
def beside(directory):
    """Imports as a script in `directory` has them; `common` is the name of another one too."""
    before = set(sys.modules)
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(directory)):
                del sys.modules[name]


@pytest.fixture
def script(request):
    with beside(LAB):
        yield importlib.import_module(request.param)


def scripts(*names):
    return pytest.mark.parametrize("script", names, indirect=True)


def check_written(out, name, num_rows):
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    page = (out / f"{name}.md").read_text()
    assert f"{name}.png" in page
    assert len([line for line in page.splitlines() if line.startswith("| ")]) == num_rows + 2
    assert len(json.loads((out / f"{name}.json").read_text())["rows"]) == num_rows


@scripts("xy_game")
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_growth_of_each_method(script, rate):
    paths = script.paths(rate, 400)
    expected = {
        "continuous flow": 1.0,
        "simultaneous": np.sqrt(1 + rate**2),
        "alternating": 1.0,
        "extragradient": np.sqrt(1 - rate**2 + rate**4),
    }
    for name, growth in expected.items():
        assert script.growth(name, paths[name], rate) == pytest.approx(growth, rel=1e-9)
        assert script.formulas(rate)[name] == pytest.approx(growth, rel=1e-12)
    # Each simultaneous step grows by this, not only their mean.
    norms = np.linalg.norm(paths["simultaneous"], axis=1)
    np.testing.assert_allclose(norms[1:] / norms[:-1], np.sqrt(1 + rate**2), rtol=1e-12)
    optimistic = script.growth("optimistic", paths["optimistic"], rate)
    assert optimistic == pytest.approx(script.formulas(rate)["optimistic"], rel=1e-3)
    assert optimistic < 1


@scripts("xy_game")
def test_first_steps_by_hand(script):
    paths = script.paths(0.5, 2)
    np.testing.assert_allclose(paths["simultaneous"], [(1, 0), (1, 0.5), (0.75, 1)])
    np.testing.assert_allclose(paths["alternating"], [(1, 0), (1, 0.5), (0.75, 0.875)])
    np.testing.assert_allclose(paths["extragradient"][1], (0.75, 0.5))
    # The second one: (1, 0.5) - 0.5 (2 * 0.5 - 0), and 0.5 + 0.5 (2 * 1 - 1).
    np.testing.assert_allclose(paths["optimistic"], [(1, 0), (1, 0.5), (0.5, 1)])


@scripts("xy_game")
def test_game_is_written(script, tmp_path):
    rows = script.main(["--out", str(tmp_path), "--quick"])
    assert all(abs(float(r["growth a step"]) - float(r["formula"])) < 1e-4 for r in rows)
    check_written(tmp_path, "xy_game", 5)


@scripts("game_value")
def test_value_is_that_of_theorem_1(script):
    assert script.best_value(0.0) == pytest.approx(-np.log(4), abs=1e-6)
    for mean in (0.0, 0.7, 2.0, 5.0):
        divergence = script.jensen_shannon(mean)
        assert script.best_value(mean) == pytest.approx(-np.log(4) + 2 * divergence, abs=1e-6)
    values = [script.best_value(mean) for mean in (0, 0.5, 1, 2, 4, 9)]
    assert values == sorted(values) and -1e-3 < values[-1] < 0


@scripts("parallel_lines")
@pytest.mark.parametrize("shift", [-1.0, -0.25, 0.5])
def test_distances_of_two_lines(script, shift):
    wasserstein, divergence, kl = script.exact_distances(shift)
    assert wasserstein == pytest.approx(abs(shift), abs=1e-12)
    assert divergence == pytest.approx(LOG2, abs=1e-12)
    assert kl == float("inf")


@scripts("parallel_lines")
def test_distances_of_a_line_from_itself(script):
    assert script.exact_distances(0.0) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


@scripts("optimal_discriminator")
def test_best_discriminator(script):
    from scipy.special import expit

    pair = ((0.0, 1.0), (2.0, 1.0))  # log p / q = 2 - 2x
    np.testing.assert_allclose(script.optimal_logits(np.array([0.0, 1.0, 2.0]), pair), [2, 0, -2])
    p, q = np.exp(-0.5 * 0.5**2), np.exp(-0.5 * 1.5**2)
    assert expit(script.optimal_logits(0.5, pair)) == pytest.approx(p / (p + q), rel=1e-12)


@pytest.mark.slow
@scripts("optimal_discriminator")
def test_discriminator_finds_the_best_one_and_its_gradient_vanishes(script, tmp_path):
    found = script.main(["--out", str(tmp_path), "--quick"])
    assert found["error"] < 0.15
    column = "mean size of its gradient at the fakes"
    best, trained, other, critic = (row[column] for row in found["rows"])
    assert best < 1e-10 and trained < 0.02 * critic and other > 1 and critic > 0.1
    check_written(tmp_path, "optimal_discriminator", 4)


@pytest.mark.slow
@scripts("game_value")
def test_trained_value(script, tmp_path):
    rows = script.main(["--out", str(tmp_path), "--quick"])
    for row in rows:
        assert row["C(G), integral"] == pytest.approx(row["-log 4 + 2 JSD"], abs=2e-4)
        # A lower bound, but for the noise of 200,000 points.
        gap = row["C(G), integral"] - row["V of a trained D"]
        assert -0.005 < gap < 0.05
    check_written(tmp_path, "game_value", len(rows))


@pytest.mark.slow
@scripts("parallel_lines")
def test_learned_distances_and_shifts(script, tmp_path):
    found = script.main(["--out", str(tmp_path), "--quick"])
    for row in found["rows"]:
        shift = abs(row["t"])
        # The penalty lets the slope be a little above 1: |t| + t^2 / (2 * 10).
        assert row["W, critic"] == pytest.approx(shift + shift**2 / 20, abs=0.03)
        assert row["JS, discriminator"] == pytest.approx(LOG2 if shift else 0.0, abs=0.02)
    paths = found["paths"]
    assert abs(paths["critic"][-1]) < 0.6
    assert paths["discriminator"][-1] > 0.97
    check_written(tmp_path, "parallel_lines", len(found["rows"]))


@pytest.mark.slow
@scripts("gaussians")
def test_gaussians_are_measured_and_drawn(script, tmp_path):
    rows = {row["measure"]: row for row in script.main(["--out", str(tmp_path), "--quick"])}
    assert rows["line: mean"]["reals"] == pytest.approx(4.0, abs=0.03)
    assert rows["line: standard deviation"]["reals"] == pytest.approx(1.25, abs=0.03)
    assert rows["line: mean"]["fakes"] == pytest.approx(4.0, abs=1.0)  # 300 steps, not 6,000
    assert rows["plane: covariance of x_1 and x_2"]["reals"] == pytest.approx(0.8, abs=0.05)
    assert rows["plane: covariance of x_1 and x_2"]["fakes"] > 0.1
    assert rows["plane: Fréchet distance to the reals"]["fakes"] < 1.0
    check_written(tmp_path, "gaussians", len(rows))


def test_every_script_has_a_row_in_the_readme():
    names = {path.stem for path in LAB.glob("*.py")} - {"common", "finished_runs", "mixture_models"}
    page = (LAB / "README.md").read_text()
    assert {name for name in names if f"`{name}.py`" in page} == names
