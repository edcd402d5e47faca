import numpy as np
import pytest
import tensorflow as tf
from metric_streams import fed, pictures

from keras_gans.metrics import (
    FID,
    KID,
    PRDC,
    CallableExtractor,
    GivenFeatures,
    InceptionScore,
    ModeScore,
    RealsCache,
    SlicedWasserstein,
)
from keras_gans.metrics.cache import ContentHash, default_directory

REALS, FAKES = pictures(40, 8, 8, 1), pictures(40, 8, 8, 1, seed=1)


def two_outputs(x):
    flat = tf.reshape(x, (-1, 64))
    return flat[:, ::8], tf.nn.softmax(flat[:, :3])


def extractor(version="1"):
    return CallableExtractor(two_outputs, "pixels", (8, 8), 1, version=version)


def content(rows=REALS, batch=16):
    digest = ContentHash()
    for start in range(0, len(rows), batch):
        digest.update(rows[start : start + batch])
    return digest.hexdigest()


BUILDS = {
    "fid": lambda: FID(extractor()),
    "kid": lambda: KID(extractor(), 60, subsets=3, subset_size=10),
    "prdc": lambda: PRDC(extractor(), 60, k=3),
    "is": lambda: InceptionScore(extractor(), splits=2),
    "mode_score": lambda: ModeScore(extractor()),
}


@pytest.mark.parametrize("name", BUILDS)
def test_what_is_restored_is_what_was_stored(name, tmp_path):
    """To the last bit, in another process too, as only files are between the two."""
    first = fed(BUILDS[name](), REALS)
    RealsCache(tmp_path).store(first, content())
    second = BUILDS[name]()
    assert RealsCache(tmp_path).restore(second, content())
    for metric in (first, second):
        metric.update_state(fakes=FAKES)
    assert second.result() == first.result()
    assert second.protocol() == first.protocol()


@pytest.mark.filterwarnings("error::UserWarning")  # nor takes it for a damaged file
def test_nothing_else_is_found(tmp_path):
    """Another set, order, extractor, setting or metric never finds what was stored."""
    cache = RealsCache(tmp_path)
    cache.store(fed(PRDC(extractor(), 60, k=3), REALS), content())
    one_off = REALS.copy()
    one_off[-1, -1, -1] += 1
    for other in (REALS[:-1], REALS[::-1], REALS.transpose(0, 2, 1, 3), one_off):
        assert not cache.restore(PRDC(extractor(), 60, k=3), content(other))
    for other in (
        PRDC(extractor("2"), 60, k=3),
        PRDC(extractor(), 60, k=4),
        PRDC(extractor(), 61, k=3),
        KID(extractor(), 60),
        FID(extractor()),
    ):
        assert not cache.restore(other, content())
        assert other.count("reals") == 0
    assert cache.restore(PRDC(extractor(), 60, k=3), content())


def test_content_does_not_depend_on_batches_and_does_on_shapes():
    assert content(batch=7) == content(batch=40)
    assert content(REALS.reshape(40, 4, 16, 1)) != content()
    assert content(REALS.astype("int8")) != content()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_passed_over_and_written_anew(damage, tmp_path):
    cache, metric = RealsCache(tmp_path), fed(FID(extractor()), REALS)
    cache.store(metric, content())
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    if damage == "other":
        np.savez(path, reals_count=np.zeros(3))
    else:
        at = good.index(np.array(metric.outers["reals"]).tobytes())
        flipped = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        path.write_bytes({"cut": good[:-30], "flipped": flipped, "empty": b""}[damage])
    again = FID(extractor())
    with pytest.warns(UserWarning, match="damaged and made anew"):
        assert not cache.restore(again, content())
    assert again.count("reals") == 0
    cache.store(fed(again, REALS), content())
    assert cache.restore(FID(extractor()), content())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_directory_that_cannot_be_written_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    with pytest.warns(UserWarning, match="can't be written, and is not needed"):
        RealsCache(tmp_path / "file").store(fed(FID(extractor()), REALS), content())


def test_only_features_with_a_hash_are_kept(tmp_path):
    cache = RealsCache(tmp_path)
    for metric, reals in (
        (SlicedWasserstein((8, 8, 1), 40), REALS),
        (FID(GivenFeatures(8, "mine")), np.ones((40, 8), "float32")),
    ):
        cache.store(fed(metric, reals), content())
        assert not cache.restore(metric, content())
    assert not list(tmp_path.iterdir())


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert default_directory() == tmp_path / "x" / "keras_gans" / "metrics"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory() == tmp_path / ".cache" / "keras_gans" / "metrics"
