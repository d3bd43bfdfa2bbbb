"""Words from outside are shown as they are, on every page: none becomes a link or a picture.

What a real browser makes of them is in tests/browser/test_links.py.
"""

import json

import pytest
from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.Selectbox_pb2 import Selectbox

from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from tests.app.opening import open_page, texts_in, texts_of
from tests.stores import add_run, damage, make_run

LINK, PICTURE = "www.evil.example", "![x](//evil.example/p.png)"
BOTH = f"{LINK} {PICTURE}"


def test_every_text_of_an_element_is_looked_at():
    button = ButtonGroup(label="one", options=[ButtonGroup.Option(content="two")])
    assert sorted(texts_in(button)) == ["one", "two"]
    assert set(texts_in(Selectbox(label="one", options=["two", "three"]))) == {
        "one",
        "two",
        "three",
    }


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
    texts = texts_of(open_page(name, **queries[name]))
    assert sum("evil" in text for text in texts) >= 2
    for text in texts:
        assert LINK not in text and "![" not in text and "e@evil" not in text
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
