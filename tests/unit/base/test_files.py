"""Files that are old or new, and how a write goes on where others read."""

import errno
import os

import pytest

from mnist_core import files
from mnist_core.errors import LabError


@pytest.mark.parametrize("times, attempts, written", [(2, 3, True), (3, 3, False), (1, 1, False)])
def test_a_reader_holds_up_a_write_for_a_moment(tmp_path, monkeypatch, times, attempts, written):
    """As on Windows, where nobody can replace what somebody reads."""
    path, calls, replace = tmp_path / "summary.json", [], os.replace
    path.write_bytes(b"old")

    def held(source, target):
        calls.append(target)
        if len(calls) <= times:
            raise PermissionError(13, "somebody reads it")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", held)
    monkeypatch.setattr(files, "ATTEMPTS", attempts)
    if written:
        files.write_bytes(path, b"new")
    else:
        with pytest.raises(LabError, match="could not be written"):
            files.write_bytes(path, b"new")
    assert path.read_bytes() == (b"new" if written else b"old")
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_a_file_is_old_or_new_never_half(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_bytes(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LabError, match="The disk is full: .*; make room and start again"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]
