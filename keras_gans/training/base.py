"""The training base: it owns the updates, so that a paper's file holds only the algorithm.

A model names its players and writes `train_step` as the paper writes its algorithm. Tapes, replica
scaling, optimizers, randomness, metrics, averaging, saving and XLA are the same for all, and here.
"""

import contextlib
import dataclasses
import functools
import inspect

import keras
import numpy as np
import tensorflow as tf
from keras import ops, tree
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans import checks
from keras_gans.devices import determinism, onednn
from keras_gans.devices.progress import update_counts
from keras_gans.devices.randomness import PRIORS, RandomState, new_seed
from keras_gans.devices.replicas import clip_together
from keras_gans.schedules import writes_schedules
from keras_gans.training import advice, kinds, pipeline, preset_files
from keras_gans.training.ema import averaged_copy, update_average, warmed_up
from keras_gans.training.keras_model import PlayersModel
from keras_gans.training.ports import Port, asked_together, main_port, sampling_networks
from keras_gans.training.reported import InUse, ReportedMean


class AdversarialModel(PlayersModel):
    """Players with networks, losses and optimizers of their own, trained by `fit(dataset)`.

    A subclass declares the class attributes, passes its networks to `super().__init__` and writes
    `default_optimizers` and `train_step`. `keras_gans/models/gan.py` is an example.

    Class attributes:
        players: `{player: (names of the networks it trains, ...)}`. Several may train one network,
            each with a loss and an optimizer of its own.
        reported: names of further quantities for `report()`.
        judges: names of the players that judge samples, as a discriminator or a critic. Default:
            none.
        makers: names of the players whose samples are judged. Default: all that are no judges.
        contests: `{loss of a judge: loss of the maker against it}`, for judges that have won where
            theirs is nearly 0. Default: none. Critics have none, their losses have no such bound.
        penalties: `{name in `reported`: player in whose loss it is}`. Default: none.
        loss_terms: names in `reported` of other losses and of parts of losses. Default: none. What
            is neither this nor a penalty is plain information, of which callbacks conclude nothing.
        averaged: names of the networks that `ema_decay` averages, each as `ema_<name>`, after the
            updates of its player; of several, of the last one in `players`.
        latent_prior: `"normal"` for N(0, 1) or `"uniform"` for U(-1, 1).
        num_classes: number of classes of a conditional model, else `None`. A model that takes
            several labels for a sample has the kind `Codes` in its `ports()`, and none here.
        minibatches_per_step: minibatches of reals in one step; `fit` gathers them.
        updates_per_step: `{maker: number of its updates in one step}` of makers with more than one.
            These end the step.
        preludes: function of a step's number, from 0, that returns how often `prelude(data)` runs
            before this step's `train_step`, each time with as many fresh minibatches as a step
            has. Default: `None`, never. A class that has it writes `prelude` as `train_step`, with
            updates of all but the makers, who count the steps.
        rows_at_once: rows in one call of a network, when a model is asked for something.
        preset: name of the trained model that the weights come from (`keras_gans.load`).
        paper: `papers.Paper`, what the model is from. Default: none.
        recipe: `papers.Recipe`, what it is trained with by default, for `from_paper` and the
            command line. Default: none. With it goes the class method `default_networks`.

    Args:
        seed: integer that fixes every random draw of the model; `None` takes one at random.
        ema_decay: decay in (0, 1) of the averaged networks, or `None` for none. A number is that of
            a long training, and the n-th update, from 0, has min(ema_decay, (1 + n) / (10 + n)): an
            average shows what the network makes from the first steps on. A schedule
            (`keras_gans.schedules`) is taken as it is.
        latent_prior: one of the priors above, or `None` for the class's.
        **networks: built `keras.Model`s by name, or lists of them.

    Raises:
        ValueError: a network is no built `keras.Model` or was built outside of the strategy's scope
            that the model is made in, `ema_decay`, `seed` or `latent_prior` is none of theirs, or a
            class attribute names what `players` and `reported` do not have.

    Example:

    ```python
    class Forgery(AdversarialModel):
        players = {"expert": ("expert",), "forger": ("generator",)}
        judges = ("expert",)
        contests = {"expert_loss": "forger_loss"}  # its loss is a cross-entropy
        reported = ("r1", "accuracy")
        penalties = {"r1": "expert"}
    ```
    """

    players = {}
    reported = ()
    judges = ()
    contests = {}
    penalties = {}
    loss_terms = ()
    averaged = ("generator",)
    latent_prior = "normal"
    num_classes = None
    minibatches_per_step = 1
    updates_per_step = {}
    preludes = None
    rows_at_once = 64
    preset = None
    paper = None
    recipe = None

    def __init__(self, *, seed=None, ema_decay=None, latent_prior=None, name=None, **networks):
        super().__init__(name=name)
        checks.check_networks(networks)
        checks.check_scope(networks)
        checks.check_ema_decay(ema_decay)
        self.seed = new_seed() if checks.check_seed(seed) is None else int(seed)
        self.ema_decay = ema_decay
        self.updates_before = dict.fromkeys(self.players, 0)  # by optimizers before today's
        if latent_prior is not None:
            self.latent_prior = checks.check_prior("latent_prior", latent_prior)
        self.network_names = tuple(networks)
        for network_name, network in networks.items():
            setattr(self, network_name, network)
        for network_name in self.averaged:
            setattr(self, f"ema_{network_name}", averaged_copy(networks[network_name], ema_decay))
        self.random_state = RandomState(self.seed)
        checks.check_roles(self)
        checks.warn_of_second_derivatives(self)
        advice.warn_of_activations(self)
        reported = [f"{player}_loss" for player in self.players] + list(self.reported)
        self.report_metrics = {name: ReportedMean(name) for name in reported}
        self.setting_metrics = {}  # `{name of a scheduled setting: InUse}`, once compiled
        self.built = True  # otherwise `fit` under a strategy calls the generator on real pictures

    def __init_subclass__(cls, **kwargs):
        """A paper's `get_config` has its schedules as it has numbers; here they are serialized."""
        super().__init_subclass__(**kwargs)
        if "get_config" in vars(cls):
            cls.get_config = writes_schedules(cls.get_config)

    @classmethod
    def from_paper(cls, shape=None, *, num_classes=None, latent_dim=None, seed=None, **settings):
        """A model with fitting networks, `default_networks`, and the paper's settings.

        Args:
            shape: shape of one sample, (H, W, C) or (d,); `None` takes that of the data set in
                `recipe`, where it is known without reading it. Of a growing model: of the stage,
                which is one without a fade.
            num_classes: number of classes, for models that are trained on labels, some or all,
                where it is that of the data set if the shape is, or can be.
            latent_dim: length of the latents; `None` takes the paper's for pictures and 16 for
                points.
            seed: integer that fixes networks and training, or `None`.
            **settings: further arguments of the constructor, such as `ema_decay`, also in place of
                those in `recipe`, or of the class's `default_networks`, such as the `width` of
                ProGAN's; or of both. A network takes the place of the default one.

        Returns:
            The model. `fit` trains it with the paper's optimizers.

        Raises:
            ValueError: the class has no paper, or an argument is missing, does not fit the class
                or does not fit the networks.

        Example:

        >>> gan = WGANGP.from_paper((28, 28, 1), seed=0)
        >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), epochs=10)
        """
        shape, num_classes = checks.resolve_paper(cls, shape, num_classes, latent_dim)
        own = {n: settings[n] for n in checks.network_settings(cls) if n in settings}
        networks = cls.default_networks(shape, num_classes, latent_dim, seed, **own)
        both = inspect.signature(cls).parameters  # the constructor's, which may know one as well
        both = set(both) - set(networks)  # of a network, `default_networks` gives it
        settings = {n: v for n, v in settings.items() if n not in own or n in both}
        networks |= {n: settings.pop(n) for n in [*settings] if n in networks}
        if (cls.recipe.labelled or num_classes is not None) and checks.takes(cls, "num_classes"):
            settings["num_classes"] = num_classes
        if cls.recipe.latent_prior is not None:
            settings.setdefault("latent_prior", cls.recipe.latent_prior)
        return cls(**networks, seed=seed, **{**cls.recipe.settings, **settings})

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """Returns the constructor's networks for samples of a shape, by argument name.

        Args:
            shape: shape of one sample.
            num_classes: number of classes of a conditional model; others do not look at it.
            latent_dim: length of the latents; `None` takes the recipe's for this shape.
            seed: integer that fixes the initial weights, or `None`.

        Returns:
            dict of built `keras.Model`s, or of lists of them.

        Raises:
            ValueError: an argument does not fit the networks.

        Example:

        >>> networks = WGANGP.default_networks((28, 28, 1), seed=0)
        >>> networks["critic"] = my_critic
        >>> gan = WGANGP(**networks, seed=0)
        """
        raise NotImplementedError(f"{cls.__name__} must define `default_networks`")

    @classmethod
    def settings_for(cls, steps):
        """The constructor's arguments that follow from how many steps a training has.

        Args:
            steps: generator updates in all.

        Returns:
            dict, here empty; of models with a schedule such as `{"total_steps": steps}`.
        """
        return {}

    @property
    def makers(self):
        return tuple(player for player in self.players if player not in self.judges)

    def default_optimizers(self):
        """Returns `{player: optimizer}` with the paper's settings."""
        raise NotImplementedError(f"{type(self).__name__} must define `default_optimizers`")

    def compile(
        self, *, jit_compile="auto", run_eagerly=False, steps_per_execution=1, **optimizers
    ):
        """Configures training; with no argument the optimizers are the paper's.

        Args:
            jit_compile: whether XLA compiles the step; `"auto"` is off on CPUs, where it is slower.
            run_eagerly, steps_per_execution: as in `keras.Model.compile`.
            **optimizers: `<player>_optimizer=` a Keras optimizer, its name or its config.

        Raises:
            ValueError: an unknown name, one optimizer for two players, or XLA where it cannot run.
        """
        jit_compile = checks.resolve_jit_compile(self.distribute_strategy, jit_compile, run_eagerly)
        onednn.warn_of_slow_kernels()
        with self.distribute_strategy.scope():
            optimizers = checks.resolve_optimizers(self, optimizers)
            super().compile(
                optimizer=None,
                jit_compile=jit_compile,
                run_eagerly=run_eagerly,
                steps_per_execution=steps_per_execution,
                auto_scale_loss=False,  # `resolve_optimizers` wraps each player's
            )
            for name in self.scheduled():
                if name not in {*self.report_metrics, *self.setting_metrics}:
                    self.setting_metrics[name] = InUse(name)
            for player, optimizer in optimizers.items():
                self._count_updates_before(player, optimizer)
                setattr(self, f"{player}_optimizer", optimizer)
                if not optimizer.built:  # an unbuilt one forgets its state when weights are loaded
                    optimizer.build(self.player_variables(player))
                clip_together(optimizer)
            self.own_average_at_the_end()

    def player_variables(self, player):
        """The trainable variables of one player, each once."""
        networks = tree.flatten([getattr(self, name) for name in self.players[player]])
        return list({id(v): v for net in networks for v in net.trainable_variables}.values())

    def make_train_function(self, force=False):
        """XLA goes inside the replica's step; Keras puts it outside, where strategies fail."""
        if self.train_function is None or force:
            determinism.keep_order_of_sums()
            jit, self.jit_compile = self.jit_compile, False
            of_data = functools.partial(pipeline.step_on_data, jit_compile=jit)
            self.train_function = self._make_function(of_data(self.train_step))
            if self.preludes is not None:
                alone = [self._make_function(of_data(s)) for s in (self.prelude, self.train_step)]
                self.train_function = pipeline.with_preludes(self, self.train_function, *alone)
            self.jit_compile = jit

    def minibatches(self, data, n):
        """A list of `n` different minibatches of `data`: tensors, or tuples as in `data_spec`.

        They are strided, so that an example's minibatch is the same however replicas split them.
        A leading axis that is no multiple of `n`, or a missing part, is a ValueError.
        """
        parts = pipeline.select(data, self.data_spec(), type(self).__name__)
        checks.check_divisible(parts[0].shape[0], n, type(self).__name__)
        batches = [tuple(part[k::n] for part in parts) for k in range(n)]
        return [batch[0] if len(batch) == 1 else batch for batch in batches]

    def begin_on(self, *parts):
        """What a model makes of its first data before its first step; here nothing.

        `fit` and `train_on_batch` call it where no step has been taken. Networks with first weights
        by data are set here, with `layers.initialize_from_data`; averages of them follow.

        Args:
            *parts: the data of the first step, checked, as `data_spec` has them.

        Returns:
            Whether weights were set, which the averages then take over.
        """
        return False

    def sample_latents(self, like):
        """Fresh latents (batch of `like`, *latent_shape) from the model's prior."""
        return self.random_state.draw(PRIORS[self.latent_prior], like, self.latent_shape)

    def random_uniform(self, like, shape=(), minval=0.0, maxval=1.0):
        """U(minval, maxval) numbers (batch of `like`, *shape); see also `random_state.normal`."""
        return self.random_state.uniform(like, shape, minval, maxval)

    def at_step(self, setting):
        """A setting in the present step: a number as it is, a schedule's value as float32 scalar.

        A schedule is a function of the number of finished steps, 0 in the first one. Optimizers
        count them (`progress.update_counts`), so that it is saved, and equal on all replicas.
        The logs have a schedule's value under the setting's name.
        """
        if not isinstance(setting, LearningRateSchedule):
            return setting
        counts = [ops.convert_to_tensor(count) for count in update_counts(self)]
        value = ops.cast(setting(functools.reduce(ops.minimum, counts)), "float32")
        for name, metric in self.setting_metrics.items():
            if getattr(self, name) is setting:
                metric.update_state(value)
        return value

    def scheduled(self):
        """The settings that are schedules, `{name: schedule}`."""
        found = vars(self).items()
        return {name: value for name, value in found if isinstance(value, LearningRateSchedule)}

    @contextlib.contextmanager
    def update(self, *players):
        """Collects `losses[player]`, a scalar each, inside the block; then updates these players.

        Each loss is differentiated with respect to its own player's variables only. Several names
        are a simultaneous update: all gradients are taken before any weight moves.
        """
        for player in players:
            checks.check_member("update", player, self.players)
        variables = {player: self.player_variables(player) for player in players}
        tape = tf.GradientTape(persistent=len(players) > 1, watch_accessed_variables=False)
        with tape:
            tape.watch([v.value for player in players for v in variables[player]])
            losses = {}
            yield losses
            checks.check_losses(losses, players)
            # Gradients are summed over the replicas: each gives its share of the mean.
            share = 1.0 / self.distribute_strategy.num_replicas_in_sync
            scaled = {p: self.optimizer_of(p).scale_loss(losses[p] * share) for p in players}
        gradients = {player: tape.gradient(scaled[player], variables[player]) for player in players}
        gradients, losses = pipeline.all_at_once((gradients, losses))
        decays = {player: self.ema_decay_of(player) for player in players}
        for player in players:
            own = self._less_left_to_others(player, gradients[player], variables[player])
            self.optimizer_of(player).apply(*own)
            self.report(**{f"{player}_loss": losses[player]})
            for name in self._averaged_after(player):
                update_average(getattr(self, f"ema_{name}"), getattr(self, name), decays[player])

    def _less_left_to_others(self, player, gradients, variables):
        """Gradients and variables, less those without a gradient that others train too.

        A player may train some layers of a network, and leave its other outputs to another player.
        """
        if all(gradient is not None for gradient in gradients):
            return gradients, variables
        others = (self.player_variables(other) for other in self.players if other != player)
        others = {id(variable) for several in others for variable in several}
        pairs = zip(gradients, variables, strict=True)
        pairs = [(g, v) for g, v in pairs if g is not None or id(v) not in others]
        return [g for g, _ in pairs], [v for _, v in pairs]

    def _averaged_after(self, player):
        """Names of the averaged networks of which this is the player, or the last of several."""
        last = {name: p for p, names in self.players.items() for name in names}
        return [name for name in self.averaged if last.get(name) == player]

    def ema_decay_of(self, player):
        """The decay of a player's averages in the update that comes: a float32 scalar, or `None`.

        A schedule says what it is in each step. A number is warmed up, by the updates that the
        player's optimizers have counted: min(ema_decay, (1 + n) / (10 + n)).
        """
        if self.ema_decay is None or isinstance(self.ema_decay, LearningRateSchedule):
            return self.at_step(self.ema_decay)
        updates = self.updates_before[player] + self.optimizer_of(player).iterations
        return warmed_up(self.ema_decay, updates)

    def _count_updates_before(self, player, optimizer):
        """Adds up what earlier optimizers have counted: a long average outlives `compile`."""
        old = getattr(self, f"{player}_optimizer", None)
        if old is not None and old is not optimizer:
            self.updates_before[player] += int(ops.convert_to_numpy(old.iterations))

    def minibatches_until(self, steps, first=0):
        """How many minibatches are read by `steps` steps, of which the number is from `first`."""
        preludes = 0
        if self.preludes is not None:
            preludes = sum(self.preludes(step) for step in range(first, first + steps))
        return self.minibatches_per_step * (steps + preludes)

    def optimizer_of(self, player):
        """The optimizer of one player, the attribute `<player>_optimizer`."""
        return getattr(self, f"{player}_optimizer")

    def report_also(self, *loss_terms):
        """Adds names of `loss_terms` to what this model reports beside what all of its class do."""
        self.reported = (*self.reported, *loss_terms)
        self.loss_terms = (*self.loss_terms, *loss_terms)
        checks.check_roles(self)
        self.report_metrics |= {name: ReportedMean(name) for name in loss_terms}

    def report(self, **values):
        """Records scalars for the logs, under names that the class declares in `reported`."""
        for name, value in values.items():
            checks.check_member("report", name, self.report_metrics)
            self.report_metrics[name].update_state(value)

    def logs(self):
        """What `train_step` returns: `{name: mean since the epoch began}`.

        And of settings that are schedules the number in use.
        """
        logs = {metric.name: metric.result() for metric in self.metrics}
        return pipeline.reducible(logs, self.distribute_strategy)

    @property
    def metrics(self):
        in_use = [self.setting_metrics[n] for n in self.scheduled() if n in self.setting_metrics]
        return [*self.report_metrics.values(), *in_use]

    def data_spec(self):
        """What the dataset must yield: here reals of the shape that the generator makes."""
        return (kinds.samples("reals", self.sampler.output_shape[1:]),)

    def fit(
        self,
        x,
        y=None,
        batch_size=None,
        *,
        steps_per_epoch=None,
        callbacks=None,
        shuffle=True,
        **kwargs,
    ):
        """Trains on a dataset of minibatches; one step is one generator update.

        Args:
            x: `tf.data.Dataset` of the paper's minibatches: float32 pictures in [-1, 1], with int
                labels beside them for conditional models. Or an array, to be shuffled into them. Or
                a `keras.utils.PyDataset`, a Python generator or another iterable of minibatches,
                which `Resume` can't continue within an epoch.
            y, batch_size: labels (num,) and minibatch (64 by default), where `x` is an array.
            steps_per_epoch: generator updates in an epoch; the data repeat as needed.
            callbacks: list of Keras callbacks; those that add images/s to the logs, and players'
                rates at the end of epochs, are put first.
            shuffle: whether examples of arrays, and minibatches of a `PyDataset`, are shuffled in
                each epoch. Other data have an order of their own.
            **kwargs: `epochs`, `initial_epoch` and `verbose`, as in `keras.Model.fit`.

        Raises:
            ValueError: the data do not fit the model; before the first update.
        """
        if not self.compiled:
            self.compile()
        checks.check_fit_arguments(kwargs)
        start = pipeline.find_start(self, x, callbacks, kwargs.pop("initial_epoch", 0))
        dataset, steps_per_epoch = pipeline.prepare(
            self, x, y, batch_size, steps_per_epoch, start, shuffle
        )
        callbacks = pipeline.all_callbacks(self, callbacks, start, steps_per_epoch, **kwargs)
        kwargs.update(steps_per_epoch=steps_per_epoch, callbacks=callbacks, shuffle=False)
        with pipeline.fitting(self, steps_per_epoch):
            return super().fit(dataset, initial_epoch=start.epoch, **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """All is built at construction; Keras would take a batch from the data for this."""

    def call(self, latents, training=False):
        return self.generator(latents, training=training)

    @property
    def sampler(self):
        """The network that makes samples: the generator, or its average where there is one."""
        return getattr(self, "ema_generator", None) or self.generator

    @property
    def latent_shape(self):
        """Shape of one example's latents, (latent_dim,)."""
        return tuple(self.sampler.inputs[0].shape[1:])

    # No properties: Keras looks for weights in all of them when it saves.
    def sample_kind(self):
        """The kind of what `sampler` makes; see `keras_gans.training.kinds`."""
        return kinds.samples("samples", self.sampler.output_shape[1:])

    def ports(self):
        """What the model can be asked for, `{name: Port}`; the first is what it is asked by itself.

        Here "generate": samples out of latents, and out of labels where there are classes.
        """
        inputs = [kinds.Latents("latents", self.latent_shape, self.latent_prior)]
        if self.num_classes is not None:
            inputs.append(kinds.Labels("labels", self.num_classes))
        return {"generate": Port(tuple(inputs), self.sampler, self.sample_kind())}

    def exported_networks(self):
        """The networks that make samples, as they are exported, by direction.

        Models with latents have one, which has no direction: its name is "".
        """
        return sampling_networks(self)

    def ask(self, name, *inputs):
        """What the network of a port makes, in a graph and some rows at a time.

        Args:
            name: of the port, one of `ports()`.
            *inputs: an array (num, ...) for each of the port's inputs, as at the border (uint8
                pictures) or as networks take it.

        Returns:
            Array (num, ...), as at the border: uint8 pictures.

        Raises:
            ValueError: there is no such port, or the inputs are none of its kinds.

        Example:

        >>> vae.ask("encode", pictures).shape
        (64, 32)
        """
        checks.check_member("name", name, self.ports())
        kinds_of_port = self.ports()[name].inputs
        if len(inputs) != len(kinds_of_port):
            raise ValueError(
                f"`inputs` must be {', '.join(kind.name for kind in kinds_of_port)} for "
                f"{name!r}. Received: {len(inputs)} of them"
            )
        given = zip(kinds_of_port, inputs, strict=True)
        return self._ask(name, **{kind.name: values for kind, values in given})

    def _ask(self, name, **inputs):
        """`ask` with other names for the inputs, which errors have."""
        port, rows = self.ports()[name], {}
        for kind, (given, values) in zip(port.inputs, inputs.items(), strict=True):
            if not np.size(values):
                raise ValueError(f"`{given}` must hold at least one. Received: none")
            rows[given] = dataclasses.replace(kind, name=given).from_border(values)
        first, *others = rows
        for other in others:
            if len(rows[other]) != len(rows[first]):
                raise ValueError(
                    f"`{other}` must have one for each of `{first}`, {len(rows[first])}. "
                    f"Received: {len(rows[other])}"
                )
        rows = list(rows.values())
        return port.output.to_border(self._run(port.network, rows if others else rows[0]))

    def _run(self, network, rows):
        """What a network makes of rows, `rows_at_once` of them at a time: a numpy array."""
        rows, step = tree.map_structure(tf.convert_to_tensor, rows), self.rows_at_once
        num = len(tree.flatten(rows)[0])
        if num <= step:
            return ops.convert_to_numpy(self._in_graph(network, rows))
        starts = range(0, num, step)
        chunks = [tree.map_structure(lambda t, i=i: t[i : i + step], rows) for i in starts]
        return np.concatenate([ops.convert_to_numpy(self._in_graph(network, c)) for c in chunks])

    def _part(self, name, build, *sources):
        """A network out of layers of the model's own, `build()`, made once for these sources."""
        parts = self.__dict__.setdefault("_parts", {})  # past Keras, which looks for weights
        known = parts[name].args[0] if name in parts else ()
        if [*map(id, known)] != [*map(id, sources)]:
            parts[name] = functools.partial(lambda sources, network: network, sources, build())
        return parts[name]()

    def generator_inputs(self, num, seed, labels=None, **given):
        """The inputs of the first port for `generate`: latents (num, *latent_shape), and so on.

        Args:
            num, seed, labels, **given: see `generate`.

        Returns:
            Tensor (num, *latent_shape), or a list of tensors where there are labels or more.
        """
        inputs = main_port(self).inputs
        if not any(isinstance(kind, kinds.Labels) for kind in inputs):
            checks.check_unconditional(self, labels)
        for name in given:
            checks.check_member("generate", name, [k.name for k in inputs if not k.from_seed])
        rows = []
        for kind in inputs:
            values = labels if isinstance(kind, kinds.Labels) else given.get(kind.name)
            drawn = values is None
            rows.append(kind.of_seed(num, seed) if drawn else kind.of_samples(num, values))
        return rows if len(rows) > 1 else rows[0]

    def grid_of(self, dataset, num=8):
        """What sample grids show of models that need more than a seed: what comes of some data.

        Args:
            dataset: what the model is trained on; its first examples are asked about. Its parts in
                `data_spec` have the names of the first port's inputs.
            num: how many of them, the columns of the grid.

        Returns:
            The pair (function of the model that returns uint8 pictures, columns), as
            `callbacks.SampleGrid` takes them.

        Example:

        >>> samples, columns = gan.grid_of(dataset)
        >>> gan.fit(dataset, callbacks=[SampleGrid("samples", samples=samples, columns=columns)])
        """
        first = next(iter(dataset.unbatch().batch(num)))
        spec = self.data_spec()
        parts = zip(spec, pipeline.select(first, spec, type(self).__name__), strict=True)
        known = {kind.name: kind.to_border(part) for kind, part in parts}
        name, port = next(iter(self.ports().items()))
        num = len(next(iter(known.values())))
        missing = [k.name for k in port.inputs if not k.from_seed and k.name not in known]
        if missing:
            raise ValueError(
                f"`data_spec` of {type(self).__name__} must have {missing}, which {name!r} takes, "
                f"or the class a `grid_of` of its own. Received: {sorted(known)}"
            )
        inputs = [k.examples(num) if k.from_seed else known[k.name] for k in port.inputs]

        def samples(model):
            return model.ports()[name].show(inputs, model.ask(name, *inputs))

        return samples, num

    def _sample(self, rows):
        return self._in_graph(self.sampler, rows)

    def _in_graph(self, network, rows):
        """A network on rows in a graph: eager operations round otherwise than an exported model."""
        graphs = self.__dict__.setdefault("_graphs", {})  # past Keras, which looks for weights
        rows = tree.map_structure(tf.convert_to_tensor, rows)
        # One graph for every number of rows, and every size where the network takes any, of the
        # types that Keras takes and casts by itself. It holds its network, whose id is therefore
        # never another's.
        taken = tree.flatten(network.inputs)
        specs = [
            tf.TensorSpec(i.shape if None in i.shape[1:] else (None, *t.shape[1:]), t.dtype)
            for i, t in zip(taken, tree.flatten(rows), strict=True)
        ]
        key = (id(network), *((tuple(spec.shape), spec.dtype) for spec in specs))
        if key not in graphs:
            specs = tree.pack_sequence_as(rows, specs)
            graph = tf.function(functools.partial(network, training=False))
            graphs[key] = graph.get_concrete_function(specs)
        return graphs[key](rows)

    def generate(self, num, seed=None, labels=None, *, port=None, **given):
        """Samples from the generator, or from its average where there is one.

        Args:
            num: how many, at least 1.
            seed: integer; the same seed gives the same samples. `None` gives new ones.
            labels: of conditional models, int (num,) or one for all; the classes in turn if `None`.
                Where a sample has several (`kinds.Codes`), int (num, n) or a row for all; drawn if
                `None`.
            port: of models that make several things of the same latents (`Port.beside`), as CoGAN
                makes pictures of two domains, the name of the only one that is wanted; all of them
                when `None`.
            **given: what else the first of `ports()` takes, by name, such as `captions`: an array
                (num, ...), or one example for all.

        Returns:
            uint8 array (num, H, W, C) of pictures; for points, the generator's float32 output. Of
            several ports a tuple with such an array of each, row k of which belong together.
        """
        num = checks.check_count("num", num)
        seed = new_seed() if checks.check_seed(seed) is None else int(seed)
        self._latents_port(f"generate({num!r})")
        return self._made_of(self.generator_inputs(num, seed, labels, **given), port)

    def _made_of(self, rows, port=None):
        """What the ports that are asked together, or one of them, make of rows, at the border."""
        asked = asked_together(self.ports(), port).values()
        made = [each.output.to_border(self._run(each.network, rows)) for each in asked]
        return made[0] if len(made) == 1 else tuple(made)

    def interpolate(self, seed_a, seed_b, steps=9, labels=None, *, port=None, **given):
        """Samples on the way between those of two seeds, by the averaged generator if there is one.

        The latents of `generate(1, seed)` are the ends. Normal ones go along an arc on which they
        keep their length, uniform ones straight on (`Latents.between`).

        Args:
            seed_a, seed_b: integers.
            steps: how many samples, both ends included, at least 2.
            labels: of conditional models, one for all or int (steps,); those of `seed_a` if `None`,
                which is class 0.
            port: see `generate`.
            **given: what else the first of `ports()` takes, by name; see `generate`.

        Returns:
            As of `generate`: uint8 array (steps, H, W, C) of pictures.

        Raises:
            ValueError: an argument is not as said, or the model has no latents.

        Example:

        >>> frames = gan.interpolate(1, 2, steps=30)
        >>> save_animation("walk.gif", [render(frame[None]) for frame in frames])

        Reference:
            White, 2016 (arXiv:1609.04468), section 2.1.
        """
        for name, seed in (("seed_a", seed_a), ("seed_b", seed_b)):
            checks.check_int(name, seed, 0, 2**63 - 1)
        steps = checks.check_int("steps", steps, 2)
        main = self._latents_port(f"interpolate({seed_a!r}, {seed_b!r})")
        takes = [kind.name for kind in main.inputs if not kind.from_seed]
        for name in given:
            checks.check_member("interpolate", name, takes)
        if not any(isinstance(kind, kinds.Labels) for kind in main.inputs):
            checks.check_unconditional(self, labels)
        rows = main.rows_between(seed_a, seed_b, steps, labels, **given)
        return self._made_of(rows if len(rows) > 1 else rows[0], port)

    def _latents_port(self, received):
        """The first port, or a ValueError where it takes no latents."""
        name, port = next(iter(self.ports().items()))
        if not port.takes_latents:
            raise ValueError(
                f"{type(self).__name__} makes {port.output.noun} out of {port.takes}, not out of "
                f"latents: use `ask({name!r}, ...)`. Received: {received}"
            )
        return port

    @classmethod
    def from_preset(cls, name, directory=None):
        """A trained model of this class, ready to generate or to go on; see `keras_gans.load`."""
        return checks.check_class("name", name, preset_files.load(name, directory), cls)

    # Saving: networks and settings here; weights and optimizers' state are found by Keras

    @writes_schedules
    def get_config(self):
        networks = {name: getattr(self, name) for name in self.network_names}
        settings = {"name": self.name, "seed": self.seed, "ema_decay": self.ema_decay}
        if "latent_prior" in vars(self):
            settings["latent_prior"] = self.latent_prior
        return {**keras.saving.serialize_keras_object(networks), **settings}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects))

    def get_compile_config(self):
        if not self.compiled:
            return None
        optimizers = {f"{player}_optimizer": self.optimizer_of(player) for player in self.players}
        settings = {"steps_per_execution": self.steps_per_execution}
        return {**keras.saving.serialize_keras_object(optimizers), **settings}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
