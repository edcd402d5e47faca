"""What each model's class declares of its players and of what they report."""

import keras
import pytest
from cases import ROLES
from small_networks import needed

import keras_gans
from keras_gans import AdversarialModel, models

SHAPE = (8, 8, 1)


def build(name):
    model_class = getattr(models, name)
    num_classes = 3 if model_class.recipe.needs_classes else None
    latent_dim = None if model_class.recipe.latent_dim is None else 8
    given = {"num_classes": num_classes, "latent_dim": latent_dim, **needed(model_class, SHAPE)}
    return model_class.from_paper(SHAPE, seed=0, **given)


def test_every_class_is_in_the_table():
    public = {name: getattr(keras_gans, name) for name in keras_gans.__all__}
    kinds = {
        n for n, v in public.items() if isinstance(v, type) and issubclass(v, AdversarialModel)
    }
    assert kinds - {"AdversarialModel"} == set(ROLES) == set(models.__all__)


@pytest.mark.parametrize("name", ROLES)
def test_roles(name):
    model = build(name)
    roles = ROLES[name]
    assert (model.judges, model.makers) == (roles.judges, roles.makers)
    assert dict(model.contests) == roles.contests
    assert (dict(model.penalties), tuple(model.loss_terms)) == (roles.penalties, roles.loss_terms)
    reported = [*roles.penalties, *roles.loss_terms, *roles.information]
    assert sorted(reported) == sorted(model.reported)
    # Every name that is declared is there, whatever the constructor checks.
    contests, reported = roles.contests, {metric.name for metric in model.metrics}
    assert {*roles.judges, *roles.makers, *roles.penalties.values()} <= set(model.players)
    assert {*contests, *contests.values(), *roles.penalties, *roles.loss_terms} <= reported


LAYER = keras.layers.LayerNormalization


@pytest.mark.parametrize("name", [n for n, roles in ROLES.items() if roles.penalties])
def test_penalties_through_layers_of_keras(name, recwarn):
    """Found inside of models and wrappers too; of those that are no penalty's nothing is said."""
    model = build(name)
    assert not [w for w in recwarn if "second derivatives" in str(w.message)]
    networks = {n: getattr(model, n) for n in model.network_names}
    network = networks[model.players[model.judges[0]][0]]
    inputs = keras.Input(network.input_shape[1:])
    wrapped = keras.layers.TimeDistributed(LAYER())(keras.ops.expand_dims(inputs[:, :1], 1))
    inner = keras.Model(inputs, network(inputs) + keras.ops.mean(wrapped))
    with pytest.warns(UserWarning, match="should have `keras_gans.layers.LayerNormalization`"):
        type(model)(**{**networks, model.players[model.judges[0]][0]: inner}, seed=0)
