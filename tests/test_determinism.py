"""Op determinism, which is a setting of the whole process and so of one of its own."""

import pathlib
import subprocess
import sys

import pytest

# The sum of the gradients of maps that are used four times, and of 64 MiB each: such sums are
# what the memory optimizer looks for.
SCRIPT = """
import sys

import harness
import keras
import numpy as np
import tensorflow as tf

import keras_gans

if sys.argv[1] == "on":
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
pictures = keras.Input((64, 64, 1))
maps = keras.layers.Conv2D(64, 3, padding="same")(pictures)
maps = keras.layers.Add()([maps * maps, keras.ops.tanh(maps), keras.ops.sin(maps), maps])
logits = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(maps))
generator = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(64 * 64), keras.layers.Reshape((64, 64, 1))]
)
gan = keras_gans.GAN(generator, keras.Model(pictures, logits), seed=0)
gan.compile()
reals = tf.data.Dataset.from_tensors(np.zeros((64, 64, 64, 1), "float32"))
graphs = harness.optimized_graphs(lambda: gan.fit(reals, verbose=0))
pairs = [pair for graph in graphs for pair in harness.unordered_accesses(graph)[0]]
print(len(pairs), tf.config.optimizer.get_jit())
"""


@pytest.mark.slow
@pytest.mark.parametrize("switch", ["on", "off"])
def test_sums_have_one_order(switch):
    """Without op determinism they have not, so that the network is one on which it shows."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, switch],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parent,
    )
    assert not result.returncode, result.stderr
    pairs, *jit = result.stdout.split()
    assert (int(pairs) == 0) == (switch == "on")
    assert jit == (["autoclustering"] if switch == "on" else [])
