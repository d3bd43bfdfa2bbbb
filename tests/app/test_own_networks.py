"""Networks of one's own on the Playground and on Compare: each is one of its own, with its name."""

import pytest

from mnist_core.models import make_config
from mnist_core.runs.about import About, write_about
from tests.app import compare_page, play_canvas
from tests.stores import add_run, make_run

CONV = "conv 3 5x3 stride 2, batchnorm, prelu, average pool 2, flatten, linear 10"
FLAT = "flatten, linear 10"
TABS = ("Why", "Fool it", "Move it", "My digits", "How it was prepared")


@pytest.fixture
def own(lab):
    runs = [add_run(lab, "custom", layers=layers) for layers in (CONV, FLAT)]
    write_about(runs[1], About(label="Perceptron"))
    return runs


@pytest.mark.parametrize("place", [0, 1])
def test_every_part_of_the_playground_takes_it(own, canvas, place):
    name, other = ("Own 3C5x3/2-A2-10", "Perceptron")[:: 1 - 2 * place]
    page = play_canvas.open_page(play_run=own[place].id)
    chosen = page.selectbox(key="play_run_MNIST")
    assert chosen.format_func(chosen.value).startswith(f"{name} (quick)")
    said = play_canvas.html(page)
    assert "2 of 2" in said or "1 of 2" in said  # both vote
    assert name in said and other in said
    for tab in TABS:
        assert not play_canvas.open_tab(tab, page).error
    page.toggle(key="play_plain").set_value(True).run()
    assert not page.exception and not page.error
    page.session_state["play_way"] = "Live"
    assert not page.run().exception and "the usual canvas" not in play_canvas.words(page)


def test_they_are_two_rows_of_compare(store):
    runs = [make_run(store, make_config(layers=layers)) for layers in (CONV, FLAT)]
    write_about(runs[1], About(label="Perceptron"))
    page = compare_page.open_page(cmp_runs=[run.id for run in runs])
    assert set(compare_page.points(page)) == {run.id for run in runs}
    names = ["Own 3C5x3/2-A2-10 (yours)", "Perceptron (yours)"]
    assert sorted(compare_page.names(page)) == names
