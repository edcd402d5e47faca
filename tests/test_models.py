"""The harness over all models; what is each paper's own is in `tests/models`."""

import pathlib
import subprocess
import sys

import harness
import pytest
from cases import BY_NAME, CASES, SHARED

# Their equalities take longest to trace, and are of the slow round.
LARGE = {"CycleGAN", "LAPGAN", "MDGAN", "ProGAN", "ProGANLS", "VAEGAN"}
LARGE |= {"ClusteringAAE", "DTN", "SRGAN", "SemiSupervisedAAE"}
SMALL = {case.name for case in CASES} - LARGE
# In these an update once ran before a read of its weights.
RACED = {"DRAGAN", "ProGAN"}


def quick(names):
    """All cases, of which those with other names than these are of the slow round."""
    return [
        pytest.param(case, id=case.name, marks=() if case.name in names else pytest.mark.slow)
        for case in CASES
    ]


@pytest.fixture(params=CASES, ids=lambda c: c.name)
def model_case(request):
    return request.param


def test_players_move_alone(model_case):
    harness.check_players_move_alone(model_case)


@pytest.mark.parametrize("case", quick(SMALL))
def test_round_trip(case, tmp_path):
    harness.check_round_trip(case, tmp_path / "model.keras")


# TensorFlow says which graphs it has run, whoever ran them: a process without other tests.
UPDATES_WAIT = """
import sys

import conftest
import harness
from cases import BY_NAME

for name in sys.argv[1:]:
    harness.check_updates_wait(BY_NAME[name])
    print(name)
"""


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(sorted(RACED), id="raced"),
        pytest.param(sorted(set(BY_NAME) - RACED), id="others", marks=pytest.mark.slow),
    ],
)
def test_updates_wait(names):
    result = subprocess.run(
        [sys.executable, "-c", UPDATES_WAIT, *names],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parent,
    )
    assert not result.returncode, f"after {result.stdout.split()}: {result.stderr[-1500:]}"
    assert result.stdout.split() == names


@pytest.mark.parametrize("case", quick(SMALL))
def test_graph_is_eager(case):
    harness.check_graph_is_eager(case)


@pytest.mark.parametrize("case", quick(SHARED))
def test_replicas_are_one_device(case, two_replicas):
    harness.check_replicas_are_one_device(case, two_replicas)


def test_paper_optimizers_on_replicas(two_replicas):
    """Those of WGAN clip weights; GAN's momentum has a test in its own file."""
    harness.check_paper_optimizers_on_replicas(BY_NAME["WGAN"], two_replicas)


@pytest.mark.slow
def test_seeds(model_case):
    harness.check_seeds(model_case)


def test_generate(model_case):
    harness.check_generate(model_case)


@pytest.mark.slow
def test_export(model_case, tmp_path):
    harness.check_export(model_case, tmp_path)


def test_bad_data(model_case):
    harness.check_bad_data(model_case)


def test_bad_arguments(model_case):
    harness.check_bad_arguments(model_case)
