"""What the networks answer together where some of them turn an image away."""

from unittest.mock import Mock

import numpy as np
import pytest

from mnist_core.evaluation.network import load_network
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.inspection import novelty
from mnist_core.tuning import Tuning
from pages.components.playground import networks
from tests.app.play_canvas import drawn, html, open_page, open_tab, words
from tests.stores import add_run

THREE = ("lenet5", "lenet5-1998", "small")


def decides(run, *, away):
    """Gives a run a measure of novelty that turns everything away, or nothing."""
    count = novelty.hidden_values(load_network(run), np.zeros((1, 28, 28), np.uint8)).shape[1]
    ones, none = np.ones(count), np.zeros(1)
    made = novelty.Detector(ones, ones, np.zeros((count, 1)), none, none, -9.0 if away else 9.0)
    run.folder.write_beside(novelty.NAME, made.to_bytes(run))


@pytest.mark.parametrize("away", (1, 2, 3))
def test_who_turns_an_image_away_is_counted_apart(store, canvas, away):
    runs = [add_run(store, name, accuracy=0.9 - 0.1 * at) for at, name in enumerate(THREE)]
    for place, run in enumerate(runs):
        decides(run, away=place < away)
    page = drawn(open_page(), canvas, 4)
    image = from_canvas(canvas.image).final[None]
    shares = np.concatenate([load_network(run).probabilities(image) for run in runs])
    mean = shares[away % 3 :].mean(0)  # where all turn it away, of all
    agreeing = int((shares[away:].argmax(1) == mean.argmax()).sum())
    name, read = f"{'an' if mean.argmax() == 8 else 'a'} {mean.argmax()}", "read"
    together = f"together {100 * mean.max():.1f} %"
    read += "s" * (agreeing == 1)
    expected = (
        f"{agreeing} of 3 networks read {name}, {together}",
        f"{agreeing} of 3 networks read {name}, {together}; 1 knows no such digit",
        f"2 of 3 networks know no such digit; {agreeing} {read} {name}",
        f"None of 3 networks knows such a digit (nearest: {mean.argmax()})",
    )
    assert expected[away] in words(page).replace("\N{NO-BREAK SPACE}", " ")
    assert ("Not like any digit I know" in words(page)) == (away > 0)  # the first is looked at
    assert html(page).count("none, nearest") == away
    rows = html(page).split('"play-votes"')[1].split("</table>")[0]
    assert rows.count("●") == 3 and (">none</b>" in rows) == (away > 0)


@pytest.mark.parametrize("alone", (True, False))
def test_a_fine_tuned_run_has_no_part_in_what_the_networks_answer_together(alone, store, canvas):
    for name in () if alone else ("lenet5", "small"):
        decides(add_run(store, name), away=False)
    tuned = add_run(store, tuning=str(Tuning("all", 20, 16 * "0", 5, 0.001, 7)))
    decides(tuned, away=True)
    page = open_tab("Move it", drawn(open_page(play_run=tuned.id), canvas, 4))
    assert "Not like any digit I know" in words(page)
    assert html(page).split('"play-strip"')[1].count("<tr><th>") == (1 if alone else 2)
    assert words(page).count(" of 2 networks read") == (0 if alone else 2)
    assert "no such digit" not in words(page) and "None of" not in words(page)


def test_the_time_of_an_answer_is_without_what_is_read_for_it_first(store, monkeypatch):
    run, now = add_run(store), [0.0]
    decides(run, away=False)
    stored = novelty.stored(run)

    def read(_):
        now[0] += 5
        return stored

    monkeypatch.setattr(networks, "_detector", read)
    monkeypatch.setattr(networks, "time", Mock(perf_counter=lambda: now[0]))
    votes, _ = networks.votes_of([load_network(run)], np.zeros((28, 28), np.uint8))
    assert [vote.milliseconds for vote in votes] == [0.0]
