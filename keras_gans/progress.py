"""Where a training stands."""

import numpy as np


def steps_taken(model):
    """Number of training steps behind the model, those of an earlier `fit` included.

    A step is one update of the generator, whatever number of critic updates it holds, so the
    optimizer of the player that trains it has counted them. Where no player is called so, the one
    with the fewest updates has. Without optimizers the count begins at 0.
    """
    players = getattr(model, "players", {})
    player = next((name for name in players if "generator" in players[name]), "generator")
    counting = players if players and player not in players else (player,)
    optimizers = [getattr(model, f"{name}_optimizer", None) for name in counting]
    iterations = [getattr(optimizer, "iterations", None) for optimizer in optimizers]
    # np.array: outside of its strategy's scope a mirrored variable has no int().
    return min(0 if count is None else int(np.array(count)) for count in iterations)
