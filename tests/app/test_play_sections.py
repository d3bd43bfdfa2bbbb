"""The Playground's vote and its sections, without a browser."""

import numpy as np
import pytest

from mnist_core.evaluation.network import load_network
from mnist_core.imaging.preprocess import from_canvas, without_normalising
from mnist_core.inspection.adversarial import attack
from mnist_core.inspection.saliency import METHODS
from tests.app.play_canvas import (
    THREE,
    answer,
    drawn,
    expected_answer,
    html,
    open_page,
    open_tab,
    pictures,
    words,
)
from tests.stores import add_run


def test_every_network_votes_and_they_agree_or_not(store, canvas):
    runs = [
        add_run(store, name, accuracy=a) for name, a in zip(THREE, (0.9, 0.8, 0.7), strict=True)
    ]
    add_run(store, "lenet5", seed=9, accuracy=0.5)  # not its network's best: it does not vote
    page = drawn(open_page(), canvas, 4)
    image = from_canvas(canvas.image).final[None]
    shares = np.concatenate([load_network(run).probabilities(image) for run in runs])
    table = html(page)
    for title, share in zip(("LeNet-5", "LeNet-5 (1998)", "Small"), shares, strict=True):
        row = table.split(f"<td>{title}</td>")[1].split("</tr>")[0]
        assert f">{share.argmax()}</span>" in row and f"{100 * share.max():.1f} %" in row
    mean = shares.mean(0)
    agreeing = int((shares.argmax(1) == mean.argmax()).sum())
    assert f"{agreeing} of 3 networks" in words(page)
    assert f"{mean.argmax()}, together {100 * mean.max():.1f} %" in words(page)
    assert html(page).split('"play-votes"')[1].split("</table>")[0].count("●") == 3


def test_a_damaged_network_is_a_row_and_the_others_vote(store, canvas):
    for name in THREE:
        broken = add_run(store, name, accuracy=0.9 - 0.1 * THREE.index(name), seed=31)
    (broken.path / broken.summary.weights).write_bytes(b"damaged")
    page = open_page()
    assert "of 2 networks" in words(page) and "its checksum is not the one" in html(page)
    assert not page.error


def test_as_drawn_skips_the_normalising(store, canvas):
    run = add_run(store)
    page = drawn(open_tab("How it was prepared"), canvas, 8, size=0.3, position=(0, 0))
    page.toggle(key="play_as_drawn").set_value(True).run()
    assert expected_answer(run, without_normalising(from_canvas(canvas.image)).final) in answer(
        page
    )
    assert "only shrunk" in pictures(page, "The drawing")[-1]


def test_garments_fill_the_image(store, canvas):
    run = add_run(store, dataset="FashionMNIST")
    page = drawn(open_page(), canvas, 2, size=0.4)
    assert expected_answer(run, from_canvas(canvas.image, fill=True).final) in answer(page)


def test_why_shows_four_methods_for_any_class(store, canvas):
    add_run(store, dataset="KMNIST")
    page = open_tab("Why")
    assert len([name for name in pictures(page, "") if name.split(" for ")[0] in METHODS]) == 4
    page.segmented_control[-1].set_value(7).run()
    assert not page.exception and "rather than" in words(page)


def test_fooling_starts_at_the_smallest_change(store, canvas):
    run = add_run(store)
    page = open_tab("Fool it", drawn(open_page(), canvas, 3))
    found = attack(load_network(run), from_canvas(canvas.image).final)
    if found.smallest is None:
        assert "changes this answer" in page.info[0].value
    else:
        assert f"ε = {found.smallest}" in words(page)
        assert page.slider[-1].value == found.smallest


def test_moving_shows_where_each_network_flips(store, canvas):
    runs = [add_run(store, name) for name in THREE]
    page = open_tab("Move it", drawn(open_page(), canvas, 3))
    assert html(page).split('"play-strip"')[1].count("<tr><th>") == len(runs)
    page.slider(key="play_move_turn").set_value(45.0).run()
    told = html(page).split('alt="The moved image"')[-1]
    assert not page.exception and "of 3</b> networks read" in told


def test_the_chosen_run_stands_for_its_network_wherever_it_is_not_the_best(store, canvas):
    """Beside the others in the verdict, where it does not count; in its place below."""
    best = [add_run(store, name) for name in THREE]
    other = add_run(store, THREE[0], seed=9, accuracy=0.1)
    page = drawn(open_page(play_run=other.id), canvas, 4)
    assert "(this run)" in html(page) and "of 3 networks" in words(page)
    assert html(page).count("(this run)") == 1
    page = drawn(open_page(play_run=best[0].id), canvas, 4)
    assert "(this run)" not in html(page)


@pytest.mark.parametrize(
    "tab, link, key",
    [
        ("Move it", {"play_move_turn": "30.0", "play_along": "size"}, None),
        ("Why", {"play_why": "3"}, "rather than"),
        ("Fool it", {"play_epsilon": "77"}, "77 of 255"),
    ],
)
def test_a_link_brings_back_the_controls_of_a_section(store, canvas, tab, link, key):
    add_run(store)
    page = open_page(play_tab=tab, **link)
    if key is None:
        assert page.slider(key="play_move_turn").value == 30.0
    else:
        assert key in words(page)
    assert all(page.query_params[name] == value for name, value in link.items())
