"""What is written appears whole or not at all."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from keras_gans.files import filling, new_directory, read_json, remove_unfinished, replacing


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        with open(temporary, "w") as file:
            file.write("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_error_of_an_open_file_gets_its_name(tmp_path):
    """A write to a full disk fails with a number and a reason, but without the file's name."""
    path = tmp_path / "a.txt"
    with pytest.raises(OSError, match=r"left on device: .*a\.txt'"), replacing(path):
        raise OSError(28, "No space left on device")


def test_what_a_killed_process_left_is_removed(tmp_path):
    script = """
import os, sys
from keras_gans.files import filling, new_directory, replacing
names = ("a.csv", "settings.json", "plain")
begun = [replacing(os.path.join(sys.argv[1], name)) for name in names]
begun.append(new_directory(os.path.join(sys.argv[1], "step_00000009")))
for each in begun:
    each.__enter__()
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)])
    for name in (".hidden", ".a.csv", ".cache.d", "b.csv"):
        (tmp_path / name).write_text("")
    assert len(os.listdir(tmp_path)) == 8
    remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".a.csv", ".cache.d", ".hidden", "b.csv"]
    remove_unfinished(tmp_path / "none")


def test_new_directory_is_all_or_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), new_directory(tmp_path / "a" / "b" / "c") as temporary:
        (temporary / "half").write_text("written")
        raise ZeroDivisionError
    assert not any(tmp_path.iterdir())
    with new_directory(tmp_path / "a" / "b") as temporary:
        (temporary / "all").write_text("written")
        assert not (tmp_path / "a" / "b").exists()
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")] == ["a", "a/b", "a/b/all"]
    assert (tmp_path / "a" / "b").stat().st_mode == (tmp_path / "a").stat().st_mode
    (tmp_path / "a").chmod(0o777)
    with new_directory(tmp_path / "a" / "d"):  # not writable by all because its parent is
        pass
    (tmp_path / "a" / "e").mkdir()
    assert (tmp_path / "a" / "d").stat().st_mode == (tmp_path / "a" / "e").stat().st_mode
    with pytest.raises(OSError, match="can't be written: no room"), new_directory(tmp_path / "c"):
        raise tf.errors.ResourceExhaustedError(None, None, "no room")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b'{"a":', "must be a JSON file. Received: Expecting value: line 1 column 6"),
        (b"", "must be a JSON file. Received: Expecting value"),
        (b'{"a": "\xff"}', "must be a JSON file. Received: 'utf-8' codec"),
        (b"[1]", "must hold a JSON object. Received: a list"),
    ],
)
def test_a_damaged_json_file_is_named(content, rule, tmp_path):
    path = tmp_path / "settings.json"
    assert read_json(path) == {}
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_json(path)
    assert str(error.value).startswith(f"'{path}' {rule}")


def test_filling_is_all_or_nothing(tmp_path):
    """Ctrl-C too; files that are there already stay, but for those of the same names."""
    old = tmp_path / "old"
    old.mkdir()
    for name in ("kept", "replaced"):
        (old / name).write_text("old")
    for path in (old, tmp_path / "a" / "b"):
        with pytest.raises(KeyboardInterrupt), filling(path) as temporary:
            (temporary / "replaced").write_text("new")
            raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["old"] and (old / "replaced").read_text() == "old"
    for path in (old, tmp_path / "a" / "b"):
        with filling(path) as temporary:
            (temporary / "deep" / "er").mkdir(parents=True)
            for name in ("replaced", "deep/er/file"):
                (temporary / name).write_text("new")
    assert sorted(os.listdir(old)) == ["deep", "kept", "replaced"]
    assert (old / "kept").read_text() == "old" and (old / "replaced").read_text() == "new"
    assert (tmp_path / "a/b/deep/er/file").read_text() == "new"
