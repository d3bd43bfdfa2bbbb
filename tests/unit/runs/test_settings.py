"""The settings of a run store: kept, checked, and the default where they are damaged."""

import pytest

from mnist_core.errors import InputError
from mnist_core.runs.store import RunStore


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"at_once": -1}', b'{"at_once": "x"}'])
def test_the_number_of_runs_at_once_is_kept_and_a_damaged_file_means_the_default(store, content):
    assert store.at_once() == 0
    store.set_at_once(3)
    assert RunStore(store.root).at_once() == 3
    for bad in (-1, 65, "x", 1.5, True, None):
        with pytest.raises(InputError, match="at-once: .* was given; allowed is a whole number"):
            store.set_at_once(bad)
    (store.root / "settings.json").write_bytes(content)
    assert store.at_once() == 0
