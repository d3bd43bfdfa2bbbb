"""The store that store_bench makes, and what it measures."""

from mnist_core.analysis.aggregate import averaged_over_seeds
from mnist_core.analysis.table import runs_table
from tests.tools import store_bench


def test_the_store_is_sound_and_folds_by_three_seeds(tmp_path):
    store = store_bench.make_store(tmp_path, 40)
    runs, damaged = store.list()
    assert (len(runs), damaged) == (40, [])
    rows = averaged_over_seeds(runs_table(store, runs))
    assert len(rows) == 14 and rows["seeds"].tolist().count(3) == 13
    assert len(runs[0].history) == store_bench.EPOCHS


def test_what_is_measured(monkeypatch):
    monkeypatch.setattr(store_bench, "visit", lambda store, times: [3.0, 0.5, 0.4, 0.6])
    (row,) = store_bench.bench(sizes=(12,))
    assert row["runs"] == 12 and (row["page_first"], row["page"]) == (3, 0.4)
    assert all(row[name] >= 0 for name in ("list_first", "list", "table", "filter"))
