"""Where a training stands."""

import numpy as np


def update_counts(model):
    """How many updates each player has had, as its optimizer counts them; [0] without optimizers.

    A step updates every player, and the generator once, whatever number of critic updates it holds.
    So the least of these is the number of finished steps. It is that throughout a step, where those
    who move several times do so before the others.
    """
    players = getattr(model, "players", None) or ("generator",)
    optimizers = [getattr(model, f"{player}_optimizer", None) for player in players]
    counting = [optimizer for optimizer in optimizers if hasattr(optimizer, "iterations")]
    return [optimizer.iterations for optimizer in counting] or [0]


def steps_taken(model):
    """Number of training steps behind the model, those of an earlier `fit` included."""
    # np.array: outside of its strategy's scope a mirrored variable has no int().
    return min(int(np.array(count)) for count in update_counts(model))
