"""What the networks answer together where some of them turn an image away."""

import numpy as np
import pytest

from mnist_core.evaluation.network import load_network
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.inspection import novelty
from tests.app.play_canvas import drawn, html, open_page, words
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
