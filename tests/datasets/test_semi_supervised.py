"""All examples without labels, beside a few with theirs."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import datasets
from keras_gans.datasets import embedded

WHOLE = embedded.MAKERS["mnist_5k"]()


def digits(**settings):
    return datasets.load("mnist_5k", batch_size=50, labels=True, **settings)


def parts(dataset, num):
    taken = list(dataset.take(num).as_numpy_iterator())
    return [np.concatenate(part) for part in zip(*taken, strict=True)]


def ids_of(pictures):
    """Which examples pictures are: those of the set are all different."""
    known = {bytes(np.asarray(p)): i for i, p in enumerate(WHOLE.values.numpy())}
    return np.array([known[bytes(np.rint((p + 1) * 127.5).astype("uint8"))] for p in pictures])


def test_all_without_labels_and_ten_of_each_with_theirs():
    dataset = datasets.semi_supervised(digits())
    assert len(dataset) == 80 and dataset.info.num_examples == 4000
    reals, labelled, labels = parts(dataset, 80)
    np.testing.assert_array_equal(np.sort(ids_of(reals)), np.arange(4000))
    ids = ids_of(labelled)
    np.testing.assert_array_equal(labels, WHOLE.labels.numpy()[ids])
    found, counts = np.unique(ids, return_counts=True)
    assert len(found) == 100 and set(counts) == {40}  # 4,000 of 100: each of them 40 times
    np.testing.assert_array_equal(np.bincount(WHOLE.labels.numpy()[found]), np.full(10, 10))
    assert labels.dtype == np.int32


def test_labelled_ones_are_shuffled_anew_each_time():
    _, labelled, _ = parts(datasets.semi_supervised(digits()), 6)
    ids = ids_of(labelled).reshape(3, 100)
    assert [len(set(row)) for row in ids] == [100, 100, 100]
    assert (ids[0] != ids[1]).mean() > 0.9 and (ids[1] != ids[2]).mean() > 0.9


def test_unlabelled_ones_come_as_they_were_loaded():
    dataset, loaded = datasets.semi_supervised(digits(seed=3)), digits(seed=3)
    for (reals, _, _), (pictures, _) in zip(dataset.take(3), loaded.take(3), strict=True):
        np.testing.assert_array_equal(reals, pictures)


def test_it_begins_at_any_step():
    dataset = datasets.semi_supervised(digits())
    there, again = dataset.from_step(83), dataset.from_step(0).skip(83)
    for some, same in zip(there.take(2), again.take(2), strict=True):
        for a, b in zip(some, same, strict=True):
            np.testing.assert_array_equal(a, b)
    assert there.cardinality() == tf.data.INFINITE_CARDINALITY


def test_the_seed_says_which_are_labelled_and_not_in_which_order():
    same = [datasets.semi_supervised(digits(seed=s), seed=0).labelled for s in (0, 1)]
    other = datasets.semi_supervised(digits(), seed=1).labelled
    chosen = [set(ids_of(parts(each, 2)[0])) for each in (*same, other)]
    assert chosen[0] == chosen[1] and len(chosen[0] & chosen[2]) < 20


def test_labelled_is_one_epoch_of_them():
    labelled = datasets.semi_supervised(digits(), labels_per_class=3).labelled
    pictures, labels = parts(labelled, -1)
    assert len(set(ids_of(pictures))) == 30
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 3))


def test_a_last_batch_that_is_not_full_is_so_on_both_sides(tmp_path):
    for k in range(10):
        path = tmp_path / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), k, np.uint8)).save(path)
    loaded = datasets.load(tmp_path, batch_size=4, labels=True)
    dataset = datasets.semi_supervised(loaded, labels_per_class=2)
    sizes = [[len(part) for part in batch] for batch in dataset]
    assert sizes == [[4, 4, 4], [4, 4, 4], [2, 2, 2]]
    with pytest.raises(ValueError, match="at most 5, as many examples as class 'a'"):
        datasets.semi_supervised(loaded, labels_per_class=6)


@pytest.mark.parametrize(
    ("make", "settings", "error", "match"),
    [
        (lambda: datasets.load("mnist_5k"), {}, ValueError, "labels=True"),
        (lambda: digits().map(lambda x, y: (x, y)), {}, TypeError, "nothing done to it"),
        (digits, {"labels_per_class": 0}, ValueError, "labels_per_class"),
        (digits, {"labels_per_class": 401}, ValueError, "at most 400"),
        (digits, {"seed": -1}, ValueError, "seed"),
    ],
)
def test_bad_input(make, settings, error, match):
    with pytest.raises(error, match=match):
        datasets.semi_supervised(make(), **settings)
