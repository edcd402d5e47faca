"""Where a training stands."""

import numpy as np


def update_counts(model, players=None):
    """How many updates players have had, as their optimizers count them; [0] without optimizers.

    A step updates every player, and the makers once, or as often as `updates_per_step` of the model
    says, whatever number of critic updates it holds. So the least of all players', in steps, is the
    number of finished ones. It is that throughout a step, where those who move several times do so
    before the others, or end it.

    Args:
        model: `AdversarialModel`.
        players: names, or `None` for all.
    """
    players = players or getattr(model, "players", None) or ("generator",)
    per_step = getattr(model, "updates_per_step", {})
    optimizers = {p: getattr(model, f"{p}_optimizer", None) for p in players}
    counting = {p: o.iterations for p, o in optimizers.items() if hasattr(o, "iterations")}
    return [n // per_step[p] if p in per_step else n for p, n in counting.items()] or [0]


def steps_taken(model):
    """Number of training steps behind the model's makers, those of an earlier `fit` included."""
    # np.array: outside of its strategy's scope a mirrored variable has no int().
    counts = update_counts(model, getattr(model, "makers", None))
    return min(int(np.array(count)) for count in counts)
