"""What the numbers of a training say, in sentences; for `Guard`.

Functions of numbers, and of the roles that a model's class declares: what broke, and three ways to
fail with finite numbers. Their limits are far from what the project's own trainings came to.
"""

import collections
import statistics

import numpy as np

NEARLY_ALIKE = 0.03  # of the reals' spread; BEGAN comes down to 8 % before it begins to learn
GREY_LEVEL = 2 / 255  # pictures that differ by less are alike, whatever the data
SETTLED = 1.2  # the samples of an average that has only begun to learn spread faster
SATURATED_LOSS = 0.02  # cross-entropy of a discriminator that gives the truth 99 %
SATURATED_RATIO = 20  # of the generator's loss to it: 4.6 / 0.02 in the case above is 230
EXPLODED_PENALTY = 100.0  # WGAN-GP: a gradient norm of 11 in the place of 1
PENALTY_GROWTH = 50.0  # times the median, for penalties above the next line
MINOR_PENALTY = 10.0
MEDIAN_LOOKS = (5, 100)  # the least and the most that a median is taken of


def spread(samples, stride=1):
    """How far samples are from each other, in the unit of their values.

    The median, over pairs of rows `stride` apart, of the root mean square of their difference. It
    does not change much where one sample of a batch is different, as a mean would.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # then the result is not finite
        differences = np.reshape(samples - np.roll(samples, -stride, axis=0), (len(samples), -1))
        return float(np.median(np.sqrt(np.mean(np.square(differences), axis=1))))


def are_alike(spreads, reference, least=0.0):
    """Whether samples were nearly alike at some looks in a row, and not about to spread."""
    limit = max(NEARLY_ALIKE * reference, least)
    return max(spreads) <= limit and spreads[-1] <= SETTLED * spreads[0]


def is_saturated(loss, generator_loss):
    """Whether a discriminator has won: its loss is small, beside the generator's.

    Goodfellow's first loss, log(1 - D(G(z))), then comes close to 0 from below.
    """
    won = generator_loss >= SATURATED_RATIO * loss or -loss <= generator_loss <= 0
    return 0 <= loss < SATURATED_LOSS and won


def explodes(penalty, median=None):
    """Whether a penalty is out of all bounds, or far above the median of what it was."""
    grown = median is not None and penalty > max(MINOR_PENALTY, PENALTY_GROWTH * median)
    return penalty > EXPLODED_PENALTY or grown


def broken_terms(updates, steps, players, before):
    """The sentences on the terms that were the first ones not to be finite.

    Args:
        updates: `{name: (number of updates, finite ones before the first other one)}` of the terms
            that are not finite.
        steps: range of the steps that these updates were made in.
        players: names, in the order of their updates within a step.
        before: `{name: mean}` at the last good look.

    Returns:
        str.
    """
    broke_at = {
        name: steps.start + int(finite * len(steps) / count)
        for name, (count, finite) in updates.items()
    }
    step = min(broke_at.values())
    names = [name for name in broke_at if broke_at[name] == step]
    losses = {f"{p}_loss": f"The {p}" for p in players if f"{p}_loss" in names}
    # The players that come after the first in a step break with it.
    names = [name for name in names if name not in list(losses)[1:]]
    who = next(iter(losses.values()), "Training")
    is_or_are = "is" if len(names) == 1 else "are"
    text = f"{who} broke at step {step:,}: {_joined(map(_quoted, names))} {is_or_are} not finite."
    was = [f"{_quoted(name)} was {before[name]:.4g}" for name in names if name in before]
    return f"{text} At the last good look {_joined(was)}." if was else text


def broken_weights(owner, path, others, steps):
    """The sentence on weights that are not finite, after steps whose terms were.

    Args:
        owner: what the weight belongs to, as "the critic".
        path: the weight's.
        others: number of further ones.
        steps: range of the steps after the last look.
    """
    are = f"and {others} more are" if others else "is"
    when = f"at step {steps[-1]:,}" if len(steps) == 1 else f"in {_in_words(steps)}"
    return (
        f"{owner[0].upper()}{owner[1:]} broke: `{path}` {are} not finite {when}, and the losses "
        "were finite up to there."
    )


class Symptoms:
    """Recognises collapse, saturation and exploding penalties; advice on each, once.

    Args:
        model: what declares `judges`, `makers`, `contests` and `penalties`, an `AdversarialModel`.
        rate_of: function of a player's name, its learning rate.
        patience: looks in a row that collapse and saturation are told after.
        reals_spread: float, `spread` of the data, or None.
        pictures: whether samples are pictures.
    """

    def __init__(self, model, rate_of, patience, reals_spread=None, pictures=True):
        self.judges, self.makers = model.judges, model.makers
        self.contests, self.player_of_penalty = model.contests, model.penalties
        self.rate_of = rate_of
        self.patience, self.reals_spread = patience, reals_spread
        self.least = GREY_LEVEL if pictures and reals_spread is None else 0.0
        self.largest_spread, self.spreads = 0.0, []
        self.saturated = collections.Counter()
        self.penalties = collections.defaultdict(list)
        self.told = set()

    def advice(self, steps, means, samples_spread=None):
        """Sentences on what is recognised for the first time.

        Args:
            steps: range of the steps after the last look.
            means: `{name: mean}` of the terms over these.
            samples_spread: `spread` of samples of one class, of the same latents at each look;
                None for no samples.
        """
        found = [*self._penalties(steps, means), *self._contests(steps, means)]
        if samples_spread is not None:
            found += self._samples(steps, samples_spread)
        new = {name: text for name, text in found if name not in self.told}
        self.told |= set(new)
        return list(new.values())

    def get_state(self):
        return {
            "largest_spread": self.largest_spread,
            "spreads": list(self.spreads),
            "saturated": dict(self.saturated),
            "penalties": {name: list(past) for name, past in self.penalties.items()},
            "told": sorted(self.told),
        }

    def set_state(self, state):
        self.largest_spread, self.spreads = state["largest_spread"], list(state["spreads"])
        self.saturated.update(state["saturated"])
        self.penalties.update({name: list(past) for name, past in state["penalties"].items()})
        self.told = set(state["told"])

    def _penalties(self, steps, means):
        for name in (name for name in means if name in self.player_of_penalty):
            value, past = means[name], self.penalties[name]
            median = statistics.median(past) if len(past) >= MEDIAN_LOOKS[0] else None
            self.penalties[name] = [*past, value][-MEDIAN_LOOKS[1] :]
            if explodes(value, median):
                times = f", {value / median:,.0f} times its median" if median else ""
                player = self.player_of_penalty[name]
                yield (
                    name,
                    f"Step {steps[-1]:,}: `{name}` explodes: its mean in {_in_words(steps)} is "
                    f"{value:.4g}{times}. Lower the rate of the {player} (now "
                    f"{self.rate_of(player):.4g}), or give the penalty more weight.",
                )

    def _contests(self, steps, means):
        for name, other in self.contests.items():
            if not {name, other} <= set(means) or not is_saturated(means[name], means[other]):
                self.saturated[name] = 0
                continue
            self.saturated[name] += 1
            if self.saturated[name] >= self.patience:
                judges, makers = _owners(name, self.judges), _owners(other, self.makers)
                are = "are" if len(judges) > 1 else "is"
                yield (
                    name,
                    f"Step {steps[-1]:,}: {_the(judges)} {are} saturated: the mean of `{name}` in "
                    f"{_in_words(steps)} is {means[name]:.2g}, below {SATURATED_LOSS} at "
                    f"{_looks(self.patience)}, and that of `{other}` is {means[other]:.3g}. All "
                    f"fakes are told from reals, which teaches {_the(makers)} little. Lower the "
                    f"rate of {_the(judges)} (now {self._rates(*judges, *makers)}), "
                    f"{self._softer_loss(judges)}.",
                )

    def _softer_loss(self, judges):
        """What to do about the loss of judges that win: only where it has none, take a penalty."""
        penalties = [name for name, player in self.player_of_penalty.items() if player in judges]
        if penalties:
            return f"or give {_joined(map(_quoted, penalties))} more weight"
        return "smooth the labels, or take a loss with a gradient penalty (WGANGP)"

    def _rates(self, *players):
        return _joined(f"{self.rate_of(player):.4g} for the {player}" for player in players)

    def _samples(self, steps, value):
        self.largest_spread = max(self.largest_spread, value)
        self.spreads = [*self.spreads, value][-self.patience :]
        reference, of = self.reals_spread, "of the data"
        if reference is None:
            reference, of = self.largest_spread, "at most so far"
        if len(self.spreads) == self.patience and are_alike(self.spreads, reference, self.least):
            batches = f", or show {_the(self.judges)} whole batches (`layers.MinibatchStdDev`)"
            yield (
                "collapse",
                f"Step {steps[-1]:,}: collapse: the samples of a batch are nearly alike. Two of "
                f"them differ by {value:.2g} per value at {_looks(self.patience)}, two {of} by "
                f"{reference:.2g}. Such runs hardly recover: go back to an earlier checkpoint and "
                f"change the rates (now {self._rates(*self.makers, *self.judges)})"
                f"{batches if self.judges else ''}.",
            )


def _in_words(steps):
    return f"step {steps[-1]:,}" if len(steps) == 1 else f"steps {steps[0]:,} to {steps[-1]:,}"


def _looks(number):
    return "the last look" if number == 1 else f"the last {number} looks"


def _owners(loss, players):
    """Whose loss this is: one player's own, or, as a level of LAPGAN's, a part of all theirs."""
    return [player for player in players if loss == f"{player}_loss"] or list(players)


def _the(players):
    return _joined(f"the {player}" for player in players)


def _quoted(name):
    return f"`{name}`"


def _joined(words):
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
