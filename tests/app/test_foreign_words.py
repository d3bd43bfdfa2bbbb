"""Words from outside are shown as they are, on every page: none becomes a link or a picture.

What a real browser makes of them is in tests/browser/test_links.py.
"""

import json

import pytest

from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.process import Process
from tests.app.opening import open_page
from tests.stores import add_run, damage, make_run

LINK, PICTURE = "www.evil.example", "![x](//evil.example/p.png)"
BOTH = f"{LINK} {PICTURE}"


def shown(page):
    """Every text of the page that Markdown is read in, or may be."""
    return [text for element in page for text in _texts(getattr(element, "proto", None))]


def _texts(proto):
    for field, value in proto.ListFields() if proto else ():
        if field.message_type is None:
            yield from [value] if isinstance(value, str) else []
        elif hasattr(value, "ListFields"):
            yield from _texts(value)


@pytest.fixture
def hostile(store):
    """A store with a damaged folder, a run's note, and a failed job, all of which say a link."""
    damage(make_run(store, make_config("small")), content=json.dumps({"state": BOTH}).encode())
    late = {"state": "done", "epochs_done": BOTH}
    damage(make_run(store, make_config("medium")), content=json.dumps(late).encode())
    make_run(store, opening_config(), state="stopped", note=BOTH, engine_note=BOTH)
    log = store.root / ".robustness.log"
    log.write_text(f"mnist_core robustness: {BOTH}\n")
    return store


@pytest.mark.parametrize("name", ["train", "compare", "playground"])
def test_no_page_makes_a_link_of_foreign_words(hostile, canvas, monkeypatch, name):
    add_run(hostile)
    monkeypatch.setenv("MNIST_DATA", str(hostile.root / "nothing"))
    queries = {"train": {"lr": BOTH, "recipe": LINK}, "playground": {"play_run": BOTH}}
    queries["playground"]["play_test"] = "me@evil.example"
    queries["compare"] = {"cmp_tab": "Robustness", "cmp_runs": BOTH}
    texts = shown(open_page(name, **queries[name]))
    assert sum("evil" in text for text in texts) >= 2
    for text in texts:
        assert LINK not in text and "![" not in text and "e@evil" not in text
        assert "://" not in text or "<" in text  # the pages' own HTML


def test_a_phase_from_outside_is_text(store):
    run = make_run(store, opening_config(), state="running", process=Process.of(1))
    run.folder.write_progress({"phase": BOTH})
    assert not [text for text in shown(open_page("train")) if LINK in text]
