"""Kinds of data: what is refused and in which words, borders, pictures for a person, specs."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_gans.training import kinds
from keras_gans.training.kinds import (
    Codes,
    Labels,
    Latents,
    Masks,
    Pictures,
    Points,
    Sequences,
    Text,
    Videos,
    beside,
    render,
)

RNG = np.random.default_rng(0)
WORDS = ("", "a", "red", "small", "bird")
IDS = Text("captions", (6,), vocabulary=5, words=WORDS)
VECTORS = Text("captions", (7,))
ALL = (
    Points("points", (2,)),
    Sequences("curves", (20, 3)),
    Sequences("notes", (16, 24)),
    Pictures("pictures", (6, 10, 3)),
    Videos("videos", (5, 6, 8, 1)),
    Masks("masks", (6, 10, 1)),
    IDS,
    VECTORS,
    Latents("latents", (4,)),
    Latents("latents", (4,), prior="uniform"),
    Labels("labels", 3),
    Codes("codes", (3, 5)),
)


def name_of(kind):
    return f"{type(kind).__name__}{kind.shape}"


@pytest.fixture(params=ALL, ids=name_of)
def kind(request):
    return request.param


def test_examples_are_of_their_kind(kind):
    """At the border they have its spec; inside they pass both checks, and come out as they were."""
    made = kind.examples(4, seed=1)
    assert made.dtype.name == kind.border_spec().dtype.name
    assert kind.border_spec().is_compatible_with(tf.constant(made))
    assert (made == kind.examples(4, seed=1)).all()
    inside = kind.from_border(made)
    assert kind.spec(4).is_compatible_with(tf.constant(inside))
    kind.check(inside)
    np.testing.assert_array_equal(kind.checked(tf.constant(inside)), inside)
    np.testing.assert_array_equal(kind.to_border(inside), made)


def test_the_pipeline_refuses_what_the_check_refuses(kind):
    """In the graph too, with a message that `fit` turns into a ValueError."""
    inside = kind.from_border(kind.examples(4))
    if inside.dtype == np.int32:
        bad = inside + 100
    else:
        bad = inside.copy()
        bad.flat[1] = np.nan
    with pytest.raises(ValueError, match=f"`{kind.name}` must be"):
        kind.check(bad)
    dataset = tf.data.Dataset.from_tensors(bad).map(kind.checked)
    with pytest.raises(tf.errors.InvalidArgumentError, match="this batch is not"):
        next(iter(dataset))


@pytest.mark.parametrize("kind", [k for k in ALL if k.shape], ids=name_of)
def test_shapes(kind):
    inside = kind.from_border(kind.examples(4))
    with pytest.raises(ValueError, match=r"must come in batches.*dataset.batch"):
        kind.check(inside[0])
    with pytest.raises(ValueError, match=r"must have the shape"):
        kind.check(inside[:, :-1])
    with pytest.raises(ValueError, match=r"must have the shape"):
        kind.check(inside[..., None])
    if not isinstance(kind, Text | Codes):
        type(kind)(kind.name, (None, *kind.shape[1:])).check(inside[:, :-1])


@pytest.mark.parametrize(
    ("kind", "values", "match"),
    [
        (Pictures("p", (4, 4, 1)), np.full((2, 4, 4, 1), 127.5), r"\[-1, 1\].*x / 127.5 - 1"),
        (Pictures("p", (4, 4, 1)), RNG.uniform(0, 1, (2, 4, 4, 1)), r"\[0, 1\]; pass 2 \* x - 1"),
        (Pictures("p", (4, 4, 1)), np.zeros((2, 4, 4, 1), "uint8"), r"uint8 pictures x become"),
        (Videos("v", (2, 4, 4, 1)), np.zeros((2, 2, 4, 4, 1), "uint8"), r"uint8 videos x become"),
        (Videos("v", (2, 4, 4, 1)), np.full((2, 2, 4, 4, 1), 2.0), r"videos in \[-1, 1\]"),
        (Masks("m", (4, 4, 1)), np.full((2, 4, 4, 1), 0.5), r"0 or 1. Received: other numbers"),
        (IDS, np.full((2, 6), 5), r"in \[0, 5\), the ids of words. Received: values in \[5, 5\]"),
        (IDS, np.zeros((2, 6)), r"must be integer ids of words. Received: float64"),
        (VECTORS, np.zeros((2, 7), "int32"), r"must be float32. Received: int32"),
        (Labels("l", 3), np.array([0, 3]), r"in \[0, 3\), as num_classes is 3"),
        (Labels("l", 3), np.eye(3, dtype="int32"), r"integers of shape \(batch,\)"),
        (Labels("l", 3), np.zeros(3), r"integers of shape \(batch,\). Received: float64"),
        (Codes("c", (3, 5)), [[2, 4], [3, 4]], r"least 0 and below \(3, 5\)\. Received: \[3, 4\]$"),
        (Codes("c", (3, 5)), [[2, 4], [2, -1]], r"below \(3, 5\)\. Received: \[2, -1\]$"),
        (Codes("c", (3, 5)), np.zeros((2, 2)), r"`c` must be integers. Received: float64$"),
        (
            Codes("c", (3, 5)),
            np.zeros((2, 3), "int32"),
            r"shape.*\(batch, 2\)\. Received: \(2, 3\)$",
        ),
    ],
)
def test_words_of_errors(kind, values, match):
    with pytest.raises(ValueError, match=match):
        kind.check(np.asarray(values))


def test_masks_at_the_border():
    masks = Masks("masks", (2, 2, 1))
    levels = np.array([[[[255], [0]], [[0], [255]]]], "uint8")
    np.testing.assert_array_equal(masks.from_border(levels), levels / 255)
    np.testing.assert_array_equal(masks.from_border(levels > 0), levels / 255)
    np.testing.assert_array_equal(masks.to_border(levels / 255), levels)
    with pytest.raises(ValueError, match=r"0 or 255 where they are uint8.*mask > 127"):
        masks.from_border(levels // 2)


@given(st.integers(0, 255))
def test_levels_come_back(level):
    """Each of the 256 levels, for pictures and for videos."""
    for kind in (Pictures("p", (1, 1, 1)), Videos("v", (1, 1, 1, 1))):
        values = np.full((1, *kind.shape), level, "uint8")
        inside = kind.from_border(values)
        assert inside.dtype == np.float32 and -1 <= inside.min() <= 1
        np.testing.assert_array_equal(kind.to_border(inside), values)


def test_kinds_of_samples():
    shapes = {(2,): Points, (20, 3): Sequences, (8, 8, 1): Pictures, (4, 8, 8, 3): Videos}
    for shape, kind in shapes.items():
        assert type(kinds.samples("reals", shape)) is kind
    for shape in ((), (1, 2, 3, 4, 5)):
        with pytest.raises(ValueError, match=r"points \(d,\), sequences \(T, F\)"):
            kinds.samples("reals", shape)


def test_labels_of_samples():
    labels = Labels("labels", 3)
    np.testing.assert_array_equal(labels.of_samples(5), [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(labels.of_samples(2, 1), [1, 1])
    with pytest.raises(ValueError, match=r"one for each of 3\. Received: 2"):
        labels.of_samples(3, [0, 1])


def test_codes_of_samples():
    """Given, or uniform draws of the seed: each code over its own values, independent of others."""
    codes = Codes("codes", (3, 5))
    assert codes.shape == (2,)
    np.testing.assert_array_equal(codes.of_samples(2, [1, 4]), [[1, 4], [1, 4]])
    np.testing.assert_array_equal(codes.of_samples(2, [[0, 1], [2, 3]]), [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match=r"one for each of 3\. Received: 2"):
        codes.of_samples(3, [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match=r"must have the shape"):
        codes.of_samples(3, [0, 1, 2])
    num = 6000
    drawn = codes.of_seed(num, 1).numpy()
    assert drawn.dtype == "int32" and (drawn == codes.of_seed(num, 1).numpy()).all()
    assert (drawn != codes.of_seed(num, 2).numpy()).any(axis=1).mean() > 0.9
    np.testing.assert_array_equal(codes.of_seed(7, 1), drawn[:7])
    pairs, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(pairs) == 15 and (drawn.min(0) == 0).all() and (drawn.max(0) == [2, 4]).all()
    np.testing.assert_allclose(counts, 400, atol=5 * np.sqrt(400 * 14 / 15))


def test_requests_of_codes():
    codes = Codes("codes", (3, 5))
    rows = codes.received(tf.constant([[2, 4], [0, 0]], tf.int64))
    assert rows.dtype == tf.int32
    for bad in ([[3, 0]], [[0, 5]], [[-1, 0]]):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"below \(3, 5\)"):
            codes.received(tf.constant(bad, tf.int64))


def test_latents_of_samples():
    for prior, deviation in (("normal", 1.0), ("uniform", 3**-0.5)):
        latents = Latents("z", (50,), prior=prior).of_samples(400, (1, 2)).numpy()
        assert latents.std() == pytest.approx(deviation, rel=0.02)


# What a person sees


def test_a_film_strip():
    """Five frames of brightness 0, 60, ... lie from left to right, a video a row."""
    frames = np.arange(0, 300, 60).clip(0, 255).astype("uint8")
    values = np.broadcast_to(frames[:, None, None, None], (5, 64, 64, 1))[None].repeat(2, 0)
    strip = Videos("v", (5, 64, 64, 1)).draw(values)
    assert strip.shape == (2 * 66 + 2, 5 * 66 + 2, 1)
    np.testing.assert_array_equal(strip[34, 34::66, 0], frames)
    animation = Videos("v", (5, 64, 64, 1)).animate(values, columns=2)
    assert len(animation) == 5
    assert [int(frame[34, 34, 0]) for frame in animation] == list(frames)


def test_what_belongs_together_in_a_picture():
    """A row of the first ones over a row of the second; the last row ends in white."""
    a = np.arange(5, dtype="uint8")[:, None, None, None].repeat(3, 1).repeat(2, 2)
    b = (10 * a).repeat(3, -1)
    pictures, columns = beside((a, b), columns=3)
    assert columns == 3 and pictures.shape == (12, 3, 2, 3)
    shown = pictures[:, 0, 0, 0].tolist()
    assert shown == [0, 1, 2, 0, 10, 20, 3, 4, 255, 30, 40, 255]
    assert beside((a, b))[1] == 4 and beside((a[:2], b[:2]), columns=8)[1] == 2
    pictures, columns = beside((a[:1], np.zeros((1, 5, 4, 1), "uint8")))  # a pair: side by side
    assert (pictures.shape, columns) == ((2, 5, 4, 1), 2)
    assert (pictures[0, 3:] == 255).all() and (pictures[0, :3, 2:] == 255).all()
    points = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    pictures, columns = beside((points, 2 * points))
    assert columns == 2 and len(pictures) == 2 and render(pictures, columns).dtype == np.uint8


def test_curves_and_a_piano_roll():
    """Few features are lines; many are a map, time to the right and the first one at the bottom."""
    few = Sequences("s", (50, 2)).draw(np.sin(np.linspace(0, 9, 50))[None, :, None].repeat(2, 2))
    assert few.shape[2] == 3 and (few != 255).any()
    roll = np.zeros((1, 64, 64), "float32")
    roll[0, -1, 0] = 1.0  # the first note, at the end
    drawn = Sequences("s", (64, 64)).draw(roll)
    assert drawn[-3, -3, 0] == 255 and (drawn[2:-2, 2:-2] == 255).sum() == 1


def test_captions():
    ids = np.array([[1, 2, 4, 0, 0, 0], [1, 3, 2, 4, 0, 0]])
    assert IDS.captions(ids) == ["a red bird", "a small red bird"]
    assert Text("t", (3,), vocabulary=9).captions([[7, 8, 0]]) == ["7 8"]
    assert VECTORS.captions(np.zeros((1, 7))) == ["(0.00, 0.00, 0.00, 0.00, …)"]
    one, two = IDS.draw(ids[:1]), IDS.draw(ids)
    assert two.shape[0] > one.shape[0] and (one < 128).any()


def test_what_a_person_types():
    np.testing.assert_array_equal(IDS.parse("a red bird"), [1, 2, 4, 0, 0, 0])
    np.testing.assert_array_equal(IDS.parse("1 2,4"), [1, 2, 4, 0, 0, 0])
    ids = Text("t", (3,), vocabulary=9, padding=8)
    np.testing.assert_array_equal(ids.parse("7"), [7, 8, 8])
    assert IDS.parse("bird").dtype == "int32" and VECTORS.parse("1 2 3 4 5 6 7").dtype == "float32"
    np.testing.assert_array_equal(Points("p", (2,)).parse("0.5, -1e1"), [0.5, -10])
    np.testing.assert_array_equal(Codes("c", (3, 5)).parse("2 4"), [2, 4])
    assert Sequences("s", (2, 3)).parse("1 2 3 4 5 6").tolist() == [[1, 2, 3], [4, 5, 6]]
    words = "1 to 6 words such as a, red, small, bird, or their ids from 0 to 4"
    for kind, text, rule in (
        (IDS, "a green bird", words),
        (IDS, "1 2 1 2 1 2 1", words),
        (IDS, "5", words),
        (IDS, "-1", words),
        (IDS, " ", words),
        (ids, "bird", "1 to 3 ids from 0 to 8"),
        (VECTORS, "1 2", "7 numbers"),
        (VECTORS, "1 2 3 4 5 6 nan", "7 numbers"),
        (Points("p", (2,)), "a b", "2 numbers"),
        (Codes("c", (3, 5)), "2", "2 numbers"),
    ):
        match = rf"`{kind.name}` must be {rule}\. Received: '{text}'$"
        with pytest.raises(ValueError, match=match):
            kind.parse(text)


def test_a_mask_of_a_file():
    levels = np.array([0, 127, 128, 255], "uint8").reshape(2, 2, 1)
    made = Masks("masks", (2, 2, 1)).from_file(levels)
    assert made.dtype == "uint8" and made.ravel().tolist() == [0, 0, 255, 255]


def test_a_kind_in_json(kind):
    """It comes back equal, and says by what it is controlled and shown."""
    text = json.dumps(kind.describe())
    assert kinds.described(json.loads(text)) == kind
    assert json.loads(text)["control"] == kind.control and json.loads(text)["view"] == kind.view


def test_a_kind_of_a_users_own_in_json():
    class Chords(Points):
        noun = "chords"
        control = "piano"

    assert kinds.described(Chords("chords", (12,)).describe()) == Chords("chords", (12,))
    with pytest.raises(ValueError, match=r"a kind in \[.*'Labels'.*\]\. Received: 'Smells'$"):
        kinds.described({"kind": "Smells"})


def test_curves_are_refused_in_words():
    from keras_gans.images import plot_curves

    with pytest.raises(ValueError, match=r"\(num, steps, features\)"):
        plot_curves(np.zeros((3, 4)))
    assert keras.ops.shape(plot_curves(np.full((2, 5, 1), np.nan)))[2] == 3


# From the data to what is served


@pytest.mark.parametrize("kind", [ALL[1], ALL[4]], ids=name_of)
def test_from_training_to_serving(kind, tmp_path):
    """Sequences and videos: trained on, generated, drawn while training, saved, exported."""
    from keras_gans import GAN, export
    from keras_gans.callbacks import Guard, SampleGrid
    from keras_gans.images import read_png
    from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

    generator = build_mlp_generator(kind.shape, 4, (8,), seed=1)
    gan = GAN(generator, build_mlp_discriminator(kind.shape, (8,), seed=2), seed=0)
    assert type(gan.sample_kind()) is type(kind)
    reals = kind.from_border(kind.examples(8))
    callbacks = [SampleGrid(tmp_path, every_steps=1, num=4), Guard(reals=reals)]
    gan.fit(reals, batch_size=8, epochs=2, callbacks=callbacks, verbose=0)
    with pytest.raises(ValueError, match="`reals` must be"):
        gan.fit(np.full_like(reals, np.inf), batch_size=8, verbose=0)
    made = gan.generate(3, seed=1)
    assert made.shape == (3, *kind.shape) and made.dtype == kind.border_dtype
    assert (tmp_path / "videos.gif").exists() == isinstance(kind, Videos)
    if isinstance(kind, Videos):
        with Image.open(tmp_path / "videos.gif") as gif:
            frames = gan.generate(4, seed=gan.seed)[0].shape[0]
            assert gif.n_frames == frames and gif.size == (2 * (64 + 2) + 2, 2 * (48 + 2) + 2)
    grid = sorted(tmp_path.glob("*.png"))[-1]
    np.testing.assert_array_equal(read_png(grid), kinds.render(gan.generate(4, seed=gan.seed)))
    gan.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=1), made)
    path = export.savedmodel(gan, tmp_path / "served", verbose=False)
    served = tf.saved_model.load(str(path)).signatures["generate"]
    answer = served(num_images=tf.constant(3, tf.int64), seed=tf.constant(1, tf.int64))
    np.testing.assert_array_equal(answer[kind.noun], made)
    assert export.tflite(gan, tmp_path / "model.tflite", verbose=False).max_error < 1e-4
