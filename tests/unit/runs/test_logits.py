"""Packed logits: what rounding changes, and damage."""

import functools
import gzip

import numpy as np
import pytest
from safetensors.numpy import save

from mnist_core.errors import LabError
from mnist_core.evaluation.metrics import metrics, to_half
from mnist_core.runs.logits import packed_logits, unpacked_logits
from tests.stores import make_run


def some_logits(scale, seed=0):
    random = np.random.default_rng(seed)
    logits = random.normal(0, scale, (2000, 10))
    logits[:, 1] = logits[:, 0] + random.normal(0, 1e-3, 2000)  # many near ties
    return to_half(logits)


@pytest.mark.parametrize("scale", [0.1, 3, 30, 600, 12_000])
def test_every_prediction_stays_and_large_numbers_stay_exact(scale):
    logits = {"validation": some_logits(scale), "test": some_logits(scale, 1)}
    found = unpacked_logits(packed_logits(logits), "x")
    assert found.keys() == logits.keys()
    for part, halves in logits.items():
        assert found[part].dtype == np.float16
        assert (found[part].argmax(1) == halves.argmax(1)).all()
        exact = np.abs(halves.astype(np.float64)) >= max(16, np.abs(halves).max() / 16)
        assert (found[part][exact] == halves[exact]).all()
        step = max(1 / 64, np.abs(halves.astype(np.float64)).max() / 2**14)
        assert np.abs(found[part].astype(np.float64) - halves).max() <= 1.5 * step


def test_the_loss_hardly_changes_and_the_file_is_a_third_smaller(store):
    labels = np.random.default_rng(2).integers(0, 10, 2000)
    halves = some_logits(3)
    halves[np.arange(2000), labels] += np.float16(8)
    run = make_run(store)
    run.folder.write_logits({"validation": halves, "test": halves})
    size = run.logits_file.stat().st_size
    run.folder.pack_logits(run.logits())
    assert sorted(p.name for p in run.path.glob("logits*")) == [run.logits_file.name]
    assert run.logits_file.stat().st_size < 0.75 * size
    before, after = metrics(halves, labels), metrics(run.logits()["test"], labels)
    assert after.accuracy == before.accuracy
    assert after.loss == pytest.approx(before.loss, abs=1e-4)


def test_equal_logits_give_equal_bytes():
    logits = {"test": some_logits(3)}
    assert packed_logits(logits) == packed_logits(logits)


zipped = functools.partial(gzip.compress, mtime=0)
PART = {"test.high": np.zeros((3, 10), np.int8), "test.low": np.zeros((3, 10), np.uint8)}
STEP = {"test.step": np.ones(1, np.float32)}
WHOLE = {**PART, **STEP, **{k.replace("test", "validation"): v for k, v in (PART | STEP).items()}}


def test_these_parts_make_a_whole_file(store):
    run = make_run(store)
    (run.path / "logits.packed.gz").write_bytes(zipped(save(WHOLE)))
    assert not run.logits()["test"].any()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        zipped(save(WHOLE))[:-9],
        zipped(b"no tensors"),
        zipped(save({**PART, **STEP})),
        zipped(save({**WHOLE, "test.low": np.zeros((3, 9), np.uint8)})),
        zipped(save({**WHOLE, "test.low": np.zeros((3, 10), np.int8)})),
        zipped(save({**WHOLE, "test.step": np.ones(2, np.float32)})),
        zipped(save({**WHOLE, "test.step": np.full(1, np.nan, np.float32)})),
        zipped(save({k: v for k, v in WHOLE.items() if k != "test.low"})),
    ],
)
def test_damage_is_one_sentence(store, content):
    run = make_run(store)
    (run.path / "logits.packed.gz").write_bytes(content)
    with pytest.raises(LabError, match=r"logits\.packed\.gz is damaged"):
        run.logits()
