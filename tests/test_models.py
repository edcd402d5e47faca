"""The harness over all models; what is each paper's own is in `tests/models`."""

import harness
import pytest
from cases import CASES


@pytest.fixture(params=CASES, ids=lambda c: c.name)
def model_case(request):
    return request.param


def test_players_move_alone(model_case):
    harness.check_players_move_alone(model_case)


def test_round_trip(model_case, tmp_path):
    harness.check_round_trip(model_case, tmp_path / "model.keras")


def test_updates_wait(model_case):
    harness.check_updates_wait(model_case)


def test_replicas_agree(model_case, two_replicas):
    harness.check_replicas_agree(model_case, two_replicas)


def test_paper_optimizers_on_replicas(model_case, two_replicas):
    harness.check_paper_optimizers_on_replicas(model_case, two_replicas)


def test_eager_is_graph(model_case):
    harness.check_eager_is_graph(model_case)


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
