"""Where a training stands."""

import numpy as np


def update_counts(model, players=None):
    """How many updates players have had, as their optimizers count them; [0] without optimizers.

    A step updates every player, and the makers once, whatever number of critic updates it holds.
    So the least of all players' is the number of finished steps. It is that throughout a step,
    where those who move several times do so before the others.

    Args:
        model: `AdversarialModel`.
        players: names, or `None` for all.
    """
    players = players or getattr(model, "players", None) or ("generator",)
    optimizers = [getattr(model, f"{player}_optimizer", None) for player in players]
    counting = [optimizer for optimizer in optimizers if hasattr(optimizer, "iterations")]
    return [optimizer.iterations for optimizer in counting] or [0]


def steps_taken(model):
    """Number of training steps behind the model's makers, those of an earlier `fit` included."""
    # np.array: outside of its strategy's scope a mirrored variable has no int().
    counts = update_counts(model, getattr(model, "makers", None))
    return min(int(np.array(count)) for count in counts)
