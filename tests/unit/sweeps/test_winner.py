"""The figures of a search's winner, when some of its runs diverge."""

import pytest

from mnist_core.sweeps.table import seeds_in_words
from mnist_core.sweeps.winner import _figures
from tests.stores import make_run, quick_config


def test_runs_that_diverge_are_counted_and_in_no_mean(store):
    runs = [make_run(store, quick_config(seed=seed), accuracy=0.9) for seed in (1, 2)]
    runs.append(make_run(store, quick_config(seed=3), state="diverged"))
    found = _figures(runs)
    assert (found["seeds"], found["diverged"]) == (3, 1)
    assert found["validation_accuracy"] == pytest.approx(0.9)
    assert found["test_accuracy"] == pytest.approx(runs[0].summary.test_accuracy)
    assert seeds_in_words(found) == "3 seeds, of which 1 diverged"
    assert seeds_in_words(_figures(runs[:2])) == "2 seeds"
    assert _figures(runs[2:])["validation_accuracy"] is None
