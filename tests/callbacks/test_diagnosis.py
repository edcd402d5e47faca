import json
import types

import numpy as np
import pytest

from keras_gans.callbacks._diagnosis import (
    Symptoms,
    are_alike,
    broken_terms,
    broken_weights,
    explodes,
    is_saturated,
    spread,
)


class TestSpread:
    def test_of_normal_numbers(self):
        """The difference of two of them has the standard deviation sqrt(2)."""
        samples = np.random.default_rng(0).normal(size=(32, 8, 8, 1))
        assert spread(samples) == pytest.approx(np.sqrt(2), rel=0.05)
        assert spread(3 * samples + 5) == pytest.approx(3 * spread(samples))

    def test_one_other_sample_does_not_count(self):
        samples = np.zeros((32, 2))
        samples[7] = 100
        assert spread(samples) == 0

    def test_within_classes(self):
        """Rows `stride` apart are of one class."""
        samples = np.tile([[0.0], [5.0], [9.0], [14.0]], (8, 1))
        assert spread(samples, 4) == 0
        assert spread(samples) > 3


class TestAlike:
    @pytest.mark.parametrize(
        "spreads, alike",
        [
            ([0.02, 0.02, 0.02], True),
            ([0.04, 0.02, 0.02], False),
            ([0.02, 0.02, 0.04], False),
            ([0.01, 0.01, 0.02], False),  # about to spread, as an average that begins to learn
            ([0.0, 0.0, 0.0], True),
        ],
    )
    def test_limit(self, spreads, alike):
        assert are_alike(spreads, reference=1.0) == alike

    def test_a_grey_level(self):
        assert not are_alike([0.005, 0.005], reference=0.01)
        assert are_alike([0.005, 0.005], reference=0.01, least=2 / 255)


@pytest.mark.parametrize(
    "loss, generator_loss, saturated",
    [
        (0.01, 5.0, True),  # -log D(G(z)) where D wins
        (0.01, 0.5, True),  # least squares
        (0.01, -0.005, True),  # Goodfellow's first loss, log(1 - D(G(z)))
        (0.03, 5.0, False),
        (0.01, 0.02, False),  # BEGAN: both are small numbers
        (0.01, -3.0, False),
        (-0.5, 5.0, False),  # a critic's
    ],
)
def test_saturated(loss, generator_loss, saturated):
    assert is_saturated(loss, generator_loss) == saturated


@pytest.mark.parametrize(
    "penalty, median, exploded",
    [
        (99.0, None, False),
        (101.0, None, True),
        (101.0, 90.0, True),
        (40.0, 0.1, True),
        (40.0, 1.0, False),
        (9.0, 0.1, False),  # 90 times a small number is still small
        (40.0, None, False),  # WGAN-GP's begins above its later median
    ],
)
def test_explodes(penalty, median, exploded):
    assert explodes(penalty, median) == exploded


class TestBroken:
    PLAYERS = ["critic", "generator"]

    def test_the_first_term(self):
        """Of steps 101 to 200 the 40th broke the penalty, and the next ones all that follows."""
        updates = {
            "critic_loss": (500, 200),  # 5 a step
            "gradient_penalty": (500, 199),
            "generator_loss": (100, 40),
        }
        assert broken_terms(updates, range(101, 201), self.PLAYERS, {"gradient_penalty": 1.25}) == (
            "Training broke at step 140: `gradient_penalty` is not finite. At the last good look "
            "`gradient_penalty` was 1.25."
        )

    def test_the_first_player_of_a_step(self):
        """The order is that of the updates; the terms of the first one's step are named too."""
        updates = {"generator_loss": (10, 3), "critic_loss": (10, 3), "gradient_penalty": (10, 3)}
        assert broken_terms(updates, range(1, 11), self.PLAYERS, {}) == (
            "The critic broke at step 4: `critic_loss` and `gradient_penalty` are not finite."
        )

    def test_replicas(self):
        """Two count together, and the second one may break a step after the first."""
        updates = {"generator_loss": (20, 13)}
        text = broken_terms(updates, range(1, 11), self.PLAYERS, {})
        assert text == "The generator broke at step 7: `generator_loss` is not finite."

    def test_a_single_step(self):
        text = broken_terms({"critic_loss": (5, 4)}, range(1234, 1235), self.PLAYERS, {})
        assert text == "The critic broke at step 1,234: `critic_loss` is not finite."

    def test_weights(self):
        end = ", and the losses were finite up to there."
        assert broken_weights("the critic", "dense/kernel", 0, range(5, 6)) == (
            "The critic broke: `dense/kernel` is not finite at step 5" + end
        )
        assert broken_weights("the critic's optimizer", "adam/rate", 2, range(1, 1001)) == (
            "The critic's optimizer broke: `adam/rate` and 2 more are not finite in steps 1 to "
            "1,000" + end
        )


def roles(judges=(), makers=("generator",), contests=None, penalties=None):
    """What a model's class declares."""
    return types.SimpleNamespace(
        judges=judges, makers=makers, contests=contests or {}, penalties=penalties or {}
    )


PENALIZED = {"gradient_penalty": "discriminator"}
RATES = {"generator": 1e-4, "discriminator": 2e-4, "critic": 2e-4, "guesser": 3e-4, "forger": 4e-4}


def symptoms(patience=1, penalties=None, contests=None, **more):
    """Of a discriminator with a bounded loss, as of `GAN`."""
    contests = {"discriminator_loss": "generator_loss"} | (contests or {})
    gan = roles(("discriminator",), contests=contests, penalties=penalties)
    return Symptoms(gan, RATES.__getitem__, patience, **more)


def symptoms_of(patience=1, **declared):
    return Symptoms(roles(**declared), RATES.__getitem__, patience)


def told(these, looks, spreads=None):
    """What is said at looks of 10 steps each: `{step: sentences}`."""
    said = {}
    for index, means in enumerate(looks):
        steps = range(10 * index + 1, 10 * index + 11)
        said[steps[-1]] = these.advice(steps, means, spreads[index] if spreads else None)
    return {step: texts for step, texts in said.items() if texts}


class TestSymptoms:
    def test_a_penalty_is_told_once(self):
        looks = [{"gradient_penalty": value} for value in (1.0, 120.0, 140.0, 1.0, 300.0)]
        critic = symptoms_of(judges=("critic",), penalties={"gradient_penalty": "critic"})
        assert told(critic, looks) == {
            20: [
                "Step 20: `gradient_penalty` explodes: its mean in steps 11 to 20 is 120. Lower "
                "the rate of the critic (now 0.0002), or give the penalty more weight."
            ]
        }

    def test_a_penalty_far_above_its_median(self):
        looks = [{"r1": value} for value in (0.1, 0.2, 0.1, 0.3, 0.1, 40.0)]
        penalties = {"r1": "discriminator"}
        said = told(symptoms(penalties=penalties), looks)
        assert list(said) == [60] and "is 40, 400 times its median. Lower" in said[60][0]
        # A median of few numbers says nothing.
        assert told(symptoms(penalties=penalties), looks[1:]) == {}

    def test_what_is_no_declared_penalty_may_be_large(self):
        """Such as a step count that its author calls so."""
        assert told(symptoms(), [{"late_penalty": 500.0, "k": 500.0}]) == {}

    def test_the_player_whose_penalty_explodes(self):
        """A path length penalty is the generator's."""
        penalties = {"r1": "discriminator", "path_length": "generator"}
        said = told(symptoms(penalties=penalties), [{"r1": 500.0, "path_length": 300.0}])
        first, second = said[10]
        assert "`r1` explodes" in first and "rate of the discriminator (now 0.0002)" in first
        assert "`path_length` explodes" in second
        assert "rate of the generator (now 0.0001)" in second

    def test_a_saturated_discriminator(self):
        looks = [{"discriminator_loss": loss, "generator_loss": 5.0} for loss in (1, 0.01, 0.01)]
        assert told(symptoms(2), looks) == {
            30: [
                "Step 30: the discriminator is saturated: the mean of `discriminator_loss` in "
                "steps 21 to 30 is 0.01, below 0.02 at the last 2 looks, and that of "
                "`generator_loss` is 5. All fakes are told from reals, which teaches the generator "
                "little. Lower the rate of the discriminator (now 0.0002 for the discriminator and "
                "0.0001 for the generator), smooth the labels, or take a loss with a gradient "
                "penalty (WGANGP)."
            ]
        }

    def test_saturated_in_spite_of_its_penalties(self):
        """R3GAN's: the loss without them is even less, and another one with them no remedy."""
        penalties = {"r1": "discriminator", "r2": "discriminator"}
        look = {"discriminator_loss": 0.01, "generator_loss": 5.0, "r1": 0.1, "r2": 0.1}
        said = told(symptoms(penalties=penalties), [look])[10][0]
        assert said.endswith("0.0001 for the generator), or give `r1` and `r2` more weight.")
        assert "WGANGP" not in said

    def test_a_penalty_of_the_generator_is_none_of_the_discriminator(self):
        look = {"discriminator_loss": 0.01, "generator_loss": 5.0, "path_length": 0.1}
        said = told(symptoms(penalties={"path_length": "generator"}), [look])[10][0]
        assert said.endswith("or take a loss with a gradient penalty (WGANGP).")

    def test_other_names_and_several_of_them(self):
        """A loss of one judge names this one, a loss of all names all."""
        these = symptoms_of(
            judges=("critic", "guesser"),
            makers=("forger",),
            contests={"guesser_loss": "forger_loss", "guess": "forger_loss"},
        )
        look = {"critic_loss": 0.01, "guesser_loss": 0.01, "guess": 0.01, "forger_loss": 5.0}
        one, both = told(these, [look])[10]
        assert "Step 10: the guesser is saturated: the mean of `guesser_loss`" in one
        assert "of the guesser (now 0.0003 for the guesser and 0.0004 for the forger)" in one
        assert "Step 10: the critic and the guesser are saturated: the mean of `guess`" in both
        assert "(now 0.0002 for the critic, 0.0003 for the guesser and 0.0004 for the f" in both

    def test_saturated_for_a_while_only(self):
        losses = [0.01, 0.01, 0.5] * 4
        looks = [{"discriminator_loss": loss, "generator_loss": 5.0} for loss in losses]
        assert told(symptoms(3), looks) == {}

    def test_one_of_several_discriminators(self):
        """LAPGAN's loss is the sum of its levels, and one of them alone may be won."""
        look = {"discriminator_loss": 1.31, "generator_loss": 7.0}
        look |= {"discriminator_7x7": 0.01, "generator_7x7": 5.0}
        look |= {"discriminator_14x14": 1.3, "generator_14x14": 0.7}
        contests = {f"discriminator_{n}": f"generator_{n}" for n in ("7x7", "14x14")}
        said = told(symptoms(contests=contests), [look])
        assert list(said) == [10] and "the mean of `discriminator_7x7`" in said[10][0]
        assert "Lower the rate of the discriminator (now 0.0002" in said[10][0]
        assert len(said[10]) == 1

    @pytest.mark.parametrize(
        "look",
        [
            {"critic_loss": 0.01, "generator_loss": 5.0},
            {"discriminator_loss": 0.01, "generator_loss": 5.0},
        ],
    )
    def test_losses_without_a_bound(self, look):
        """ProGAN's discriminator is a critic too: the class declares no contest."""
        judges = ("critic", "discriminator")
        assert told(symptoms_of(judges=judges), [look] * 3) == {}

    def test_a_loss_that_was_not_reported(self):
        assert told(symptoms(), [{"discriminator_loss": 0.01}] * 3) == {}

    def test_collapse_beside_the_data(self):
        said = told(symptoms(2, reals_spread=0.8), [{}] * 4, [0.5, 0.02, 0.02, 0.02])
        assert said == {
            30: [
                "Step 30: collapse: the samples of a batch are nearly alike. Two of them differ by "
                "0.02 per value at the last 2 looks, two of the data by 0.8. Such runs hardly "
                "recover: go back to an earlier checkpoint and change the rates (now 0.0001 for "
                "the generator and 0.0002 for the discriminator), or show the discriminator whole "
                "batches (`layers.MinibatchStdDev`)."
            ]
        }

    def test_collapse_without_data(self):
        """Held against the largest so far; a point set may be small."""
        spreads = [1e-3, 0.4, 0.4, 1e-3, 1e-3]
        said = told(symptoms(2, pictures=False), [{}] * 5, spreads)
        assert list(said) == [50] and "two at most so far by 0.4." in said[50][0]
        assert told(symptoms(2, pictures=False), [{}] * 2, [1e-3, 1e-3]) == {}
        assert list(told(symptoms(2, pictures=True), [{}] * 2, [1e-3, 1e-3])) == [20]

    def test_no_opponent(self):
        """An autoencoder's generator."""
        these = Symptoms(roles(makers=("autoencoder",)), {"autoencoder": 1e-3}.__getitem__, 1, 1.0)
        assert these.advice(range(1, 2), {"discriminator_loss": 0.01, "generator_loss": 5.0}) == []
        said = these.advice(range(1, 2), {}, 0.0)[0]
        assert said.endswith("change the rates (now 0.001 for the autoencoder).")

    def test_collapse_before_a_critic(self):
        said = told(symptoms_of(judges=("critic",)), [{}] * 2, [1.0, 0.01])
        assert "0.0002 for the critic), or show the critic whole batches" in said[20][0]

    def test_state(self):
        """A run that is resumed says what it would have said, and says nothing twice."""
        looks = [
            {"gradient_penalty": value, "discriminator_loss": 0.01, "generator_loss": 5.0}
            for value in (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 40.0, 40.0)
        ]
        calm = [look | {"gradient_penalty": 0.1} for look in looks]
        for these, sentences in ((looks, 3), (calm, 2)):
            spreads = [1.0, 0.3] + 6 * [0.01]
            whole = told(symptoms(4, PENALIZED, pictures=False), these, spreads)
            parts, state = {}, symptoms(4, PENALIZED, pictures=False).get_state()
            for index, look in enumerate(these):
                part = symptoms(4, PENALIZED, pictures=False)
                part.set_state(state)
                steps = range(10 * index + 1, 10 * index + 11)
                parts[steps[-1]] = part.advice(steps, look, spreads[index])
                state = json.loads(json.dumps(part.get_state()))
            assert {step: texts for step, texts in parts.items() if texts} == whole
            assert sum(map(len, whole.values())) == sentences
