"""Links from outside: none of their words is a link itself, and nothing is fetched for them."""

import json
import shutil
from urllib.parse import urlencode

import pytest

from mnist_core.models.grid import opening_config
from mnist_core.runs.store import RunStore
from tests.browser.conftest import at_rest
from tests.stores import damage, make_run

# What Streamlit's Markdown makes a link, a picture, an icon or another text of.
FOREIGN = (
    "www.evil.example",
    "WWW.evil.example/a",
    "http://evil.example",
    "https:\\/\\/evil.example",
    "me@evil.example",
    "mailto:me@evil.example",
    "![x](http://evil.example/p.png)",
    "[x](http://evil.example)",
    "<http://evil.example>",
    "<img src=http://evil.example/q.png>",
    "www&period;evil.example",
    "# `a` **b** _c_ ~~d~~ $e$",
    ":material/home: :material_home: :smile: :streamlit: :red[x]",
    "a -> b <- c -- d >= e",
)
NOTE = " · ".join(FOREIGN)
OURS = "[href*='playground?play_run'], [data-testid=stPageLink-NavLink]"  # the lab's own


@pytest.fixture
def foreign_note(server):
    """In the server's store, a run whose note has all of it, and a damaged folder that has some."""
    store = RunStore(server.store)
    runs = [make_run(store, opening_config("small"), state="stopped", note=NOTE)]
    runs.append(make_run(store, opening_config("medium"), state="stopped"))
    damage(runs[1], content=json.dumps({"state": "done", "epochs_done": FOREIGN[6]}).encode())
    yield
    for run in runs:
        shutil.rmtree(run.path)


def test_foreign_words_are_no_links_and_fetch_nothing(page, server, foreign_note):
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url))
    fields = ("lr", "dropout", "momentum", "gamma", "weight_decay", "recipe", "optimizer")
    queries = {
        "": {"model": "small"} | dict(zip(fields, FOREIGN, strict=False)),
        "playground": {"play_run": FOREIGN[6], "play_test": FOREIGN[4]},
        "compare": {"cmp_runs": FOREIGN[0]},
    }
    for path, query in queries.items():
        page.goto(f"{server.url}/{path}?{urlencode(query)}")
        warnings = page.get_by_test_id("stAlert")
        warnings.first.wait_for()
        at_rest(page)
        main = page.get_by_test_id("stMain")
        assert main.locator(f"a:not({OURS}), img[src^=http]").count() == 0
        texts = [text.replace("\N{WORD JOINER}", "") for text in warnings.all_inner_texts()]
        assert any(f"is '{FOREIGN[6]}'" in text for text in texts), texts
        if not path:
            for words in FOREIGN[: len(fields)]:
                assert any(repr(words) in text for text in texts), (words, texts)
            said = page.locator(".st-key-train_remark").inner_text()
            assert said.replace("\N{WORD JOINER}", "").startswith(NOTE)
    assert not [url for url in elsewhere if not url.startswith((server.url, "data:", "blob:"))]
