"""A set of drawings for a class: its link, whose drawings are whose, and how they are read."""

import json

import numpy as np
import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState

from mnist_core.data.drawing_sets import all_sets, begin_set, change_set, delete_set, find_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.statistics import wilson
from mnist_core.formatting import percent
from mnist_core.imaging.preprocess import from_canvas
from pages.components.shared.common import PROBLEM
from tests.app.opening import texts_of
from tests.app.play_canvas import drawn, html, open_page, open_tab, words
from tests.stores import add_run

INK = np.full((28, 28), 200, np.uint8)
CHANGES = {"play_begin_set", "play_set_close", "play_set_delete", "play_this_is_4"}


def grid_of(page):
    """What the browser gets of the drawings; None without any."""
    sent = (json.loads(each.proto.json) for each in page.get("bidi_component"))
    return next((data for data in sent if "drawings" in data), None)


def remove(page, file):
    """A message as from the browser of whoever sees this page."""
    (grid,) = [e for e in page.get("bidi_component") if '"drawings"' in e.proto.json]
    states = page._tree.get_widget_states()
    told = json.dumps([{"event": "remove", "value": file}])
    trigger = _make_trigger_id(grid.proto.id, "events")
    states.widgets.append(WidgetState(id=trigger, json_trigger_value=told))
    page._run(states)
    assert not page.exception
    return page


def keys(page):
    return {button.key for button in page.button if not button.disabled}


@pytest.fixture
def as_visitor(monkeypatch):
    """Opens the Playground of a shared lab as the visitor whose browser has this secret."""
    monkeypatch.setenv("MNIST_LIMITS", "waiting = 50")

    def open_as(name, **query):
        known = "x" * (32 - len(name)) + name
        monkeypatch.setattr("pages.components.shared.visitor.browser_secret", lambda: known)
        return open_page(**query)

    return open_as


def test_a_set_is_begun_its_link_opens_it_and_it_is_left(store, canvas):
    add_run(store)
    Handwriting(store.root, "MNIST").add(INK, 1)
    page = open_tab("My digits")
    assert len(grid_of(page)["drawings"]) == 1
    page.text_input(key="play_new_set").set_value("  Class  7b ")
    page.button(key="play_begin_set").click().run()
    (one,) = all_sets(store.root)
    assert one.name == "Class 7b" and page.query_params["play_set"] == one.key
    assert page.subheader[0].value == "Class 7b" and grid_of(page) is None
    assert f"playground?play_set={one.key}" in page.code[0].value
    drawn(page, canvas, 4)
    page.text_input(key="play_tag").set_value("Anna").run()
    page.button(key="play_this_is_4").click().run()
    (sample,) = Handwriting(store.root, "MNIST", one.key).samples()
    assert (sample.label, sample.author) == (4, "Anna")
    image = Handwriting(store.root, "MNIST", one.key).image(sample)
    assert np.array_equal(image, from_canvas(canvas.image).final)
    assert "Draw the next one" in words(page) and "Nothing drawn yet" in words(page)
    assert "play_this_is_4" not in keys(page)  # until something is drawn again
    again = open_page(play_set=one.key)
    assert grid_of(again)["drawings"][0][:3] == [sample.file, 4, "Anna"]
    assert "1 drawing, 1 person" in words(again)
    page.button(key="play_leave").click().run()
    assert "play_set" not in page.query_params and "Class 7b" not in words(page)


def test_everybody_sees_all_drawings_and_removes_their_own(store, canvas, as_visitor, monkeypatch):
    add_run(store)
    one = begin_set(store.root, "Class 7b")
    own = Handwriting(store.root, "MNIST", one.key)
    anne = drawn(as_visitor("anne", play_set=one.key), canvas, 4)
    anne.button(key="play_this_is_4").click().run()
    bob = drawn(as_visitor("bob", play_set=one.key), canvas, 7)
    bob.button(key="play_this_is_7").click().run()
    first, second = own.samples()
    assert grid_of(bob)["mine"] == [second.file] and len(grid_of(bob)["drawings"]) == 2
    assert "2 drawings, 2 people" in words(bob)
    remove(bob, first.file)  # as no honest browser asks
    assert "Only the person who saved this drawing" in words(bob)
    remove(bob, "../../labels.csv")
    assert own.samples() == [first, second]
    remove(bob, second.file)
    assert own.samples() == [first] and len(grid_of(bob)["drawings"]) == 1
    monkeypatch.setenv("MNIST_ADMIN_PASSWORD", "right")
    teacher = as_visitor("carl", play_set=one.key)
    assert grid_of(teacher)["mine"] == []
    teacher.session_state["administrator"] = True
    assert grid_of(teacher.run())["mine"] == [first.file]
    remove(teacher, first.file)
    assert own.samples() == []


def test_a_tag_comes_back_with_the_visitor(store, canvas, as_visitor):
    add_run(store)
    one = begin_set(store.root, "Class 7b")
    page = drawn(as_visitor("anne", play_set=one.key), canvas, 4)
    page.text_input(key="play_tag").set_value("=SUM(1)").run()
    page.button(key="play_this_is_4").click().run()
    assert "Not saved" in words(page) and not Handwriting(store.root, "MNIST", one.key).samples()
    page.text_input(key="play_tag").set_value("Anna").run()
    page.button(key="play_this_is_4").click().run()
    assert as_visitor("anne", play_set=one.key).text_input(key="play_tag").value == "Anna"
    assert as_visitor("bob", play_set=one.key).text_input(key="play_tag").value == ""


def test_only_who_began_a_set_closes_it_and_then_nothing_is_added(store, canvas, as_visitor):
    add_run(store)
    page = as_visitor("anne", play_tab="My digits")
    page.text_input(key="play_new_set").set_value("Class 7b")
    page.button(key="play_begin_set").click().run()
    (one,) = all_sets(store.root)
    bob = drawn(as_visitor("bob", play_set=one.key), canvas, 4)
    assert "play_this_is_4" in keys(bob) and "play_set_close" not in keys(bob)
    assert "play_open_" not in str(keys(as_visitor("bob", play_tab="My digits")))
    assert f"play_open_{one.key}" in keys(as_visitor("anne", play_tab="My digits"))
    drawn(page := as_visitor("anne", play_set=one.key), canvas, 4)
    page.button(key="play_set_close").click().run()
    assert not find_set(store.root, one.key).open and "play_this_is_4" not in keys(page)
    assert "closed" in page.subheader[0].value
    bob.button(key="play_this_is_4").click().run()  # his page is of before
    assert "This set is closed" in words(bob)
    page.checkbox(key=f"play_set_sure_{one.key}").check().run()
    page.button(key="play_set_delete").click().run()
    assert all_sets(store.root) == [] and "play_set" not in page.query_params


def test_a_set_that_is_gone_and_a_link_to_none_are_a_sentence(store, canvas):
    add_run(store)
    one = begin_set(store.root, "Class 7b")
    page = open_page(play_set=one.key)
    delete_set(store.root, one.key)
    page.run()
    assert "no such set of drawings" in page.warning[0].value and not page.exception
    for asked in ("../../etc", "abcdefgh", "www.evil.example"):
        page = open_page(play_set=asked)
        assert "no such set of drawings" in page.warning[0].value
        assert "play_set" not in page.query_params


def test_a_projector_shows_the_set_alone(store, canvas):
    add_run(store)
    one = begin_set(store.root, "Class 7b")
    Handwriting(store.root, "MNIST", one.key).add(INK, 1, "Anna")
    page = open_page(play_set=one.key, play_wall="true")
    assert not canvas.calls and grid_of(page)["large"]
    assert f"/playground?play_set={one.key}" in html(page) and "Class 7b" in page.subheader[0].value
    page.toggle(key="play_wall").set_value(False).run()
    assert canvas.calls and not grid_of(page)["large"]


@pytest.mark.parametrize("wall", ["true", "false"])
def test_an_error_is_not_above_what_a_stroke_runs_again(store, canvas, monkeypatch, wall):
    """Where it would stay. A projector has no strokes."""
    add_run(store)
    monkeypatch.setattr("pages.components.playground.contents.contents", lambda chosen: None)
    key = begin_set(store.root, "Class 7b").key
    page = open_page(play_set=key, play_wall=wall)
    page.session_state[PROBLEM] = "The disk is full."
    page.run()
    assert [error.value for error in page.error] == ["The disk is full."] * (wall == "true")


def test_a_set_is_looked_at_again_while_it_is_open_and_in_use(store, canvas, monkeypatch):
    from pages.components.playground.digits import view

    one = begin_set(store.root, "Class 7b")
    own = Handwriting(store.root, "MNIST", one.key)
    assert view.period(one, own, True) < view.period(one, own, False)
    assert view.period(None, own, False) is None
    assert view.period(change_set(store.root, one.key, open=False), own, False) is None
    change_set(store.root, one.key, open=True)
    monkeypatch.setattr(view.time, "time", lambda: one.begun_at() + view.LESSON + 60)
    assert view.period(one, own, False) is None
    own.add(INK, 1)
    monkeypatch.setattr(view.time, "time", lambda: own.last_change() + view.LESSON - 60)
    assert view.period(one, own, False) == view.SELDOM


def test_a_read_only_lab_shows_a_set_and_changes_nothing(store, canvas, monkeypatch):
    add_run(store)
    one = begin_set(store.root, "Class 7b")
    own = Handwriting(store.root, "MNIST", one.key)
    own.add(INK, 1)
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    page = drawn(open_page(play_set=one.key), canvas, 4)
    assert len(grid_of(page)["drawings"]) == 1 and grid_of(page)["mine"] == []
    assert not CHANGES & keys(page) and "play_tag" not in {each.key for each in page.text_input}
    remove(page, own.samples()[0].file)
    assert "only for looking and drawing" in words(page)
    assert before == {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}


def test_accuracy_stands_beside_the_test_sets_with_intervals(store, canvas):
    runs = [add_run(store, name, accuracy=0.98) for name in ("lenet5", "small")]
    one = begin_set(store.root, "Class 7b")
    own = Handwriting(store.root, "MNIST", one.key)
    rng = np.random.default_rng(1)
    for label in range(10):
        own.add(rng.integers(0, 255, (28, 28), np.uint8), label)
    _, images = own.readable(own.samples())
    page = open_page(play_set=one.key)
    answers = [load_network(run).logits(images).argmax(1) for run in runs]
    table = html(page)
    for title, said in zip(("LeNet-5", "Small"), answers, strict=True):
        row = table.split('class="digits"')[1].split(f"<td>{title}</td>")[1].split("</tr>")[0]
        right = int((said == np.arange(10)).sum())
        ours, test = wilson(right, 10), wilson(9800, 10_000)
        assert percent(right / 10, 1) in row and f"{percent(ours.high, 1)}" in row
        assert "98.0 %" in row and f"{100 * test.low:.1f}–{100 * test.high:.1f}" in row
    shown = grid_of(page)
    assert shown["networks"] == ["LeNet-5", "Small"]
    assert [row[5] for row in shown["drawings"][::-1]] == np.stack(answers, 1).tolist()
    assert "of 2** networks read these drawings worse" in words(page)


def test_the_same_after_training_with_moved_images(store, canvas):
    still = add_run(store, "lenet5", accuracy=0.98)
    moved = add_run(store, "lenet5", accuracy=0.97, rotation=10.0, shift=2.0)
    add_run(store, "small", accuracy=0.9)
    own = Handwriting(store.root, "MNIST")
    rng = np.random.default_rng(2)
    for label in range(10):
        own.add(rng.integers(0, 255, (28, 28), np.uint8), label)
    _, images = own.readable(own.samples())
    right = [load_network(run).logits(images).argmax(1) == np.arange(10) for run in (still, moved)]
    page = open_tab("My digits", open_page(play_run=still.id))
    page.session_state["play_digits_moved"] = True
    page.run()
    gained, lost = (int((a & ~b).sum()) for a, b in (right[::-1], right))
    assert f"+{gained} −{lost}" in html(page)
    assert f"{int(gained > lost)} of the one network" in words(page)
    assert "differ in nothing else but the seed" in html(page)
    assert "play_train_moved" in keys(page)


HOSTILE = "www.evil.example ![x](//evil.example/p.png) <b>x</b>"


def test_a_sets_name_is_shown_as_it_is(store, canvas):
    add_run(store)
    one = begin_set(store.root, HOSTILE)
    Handwriting(store.root, "MNIST", one.key).add(INK, 1)
    for page in (
        open_page(play_set=one.key),
        open_page(play_set=one.key, play_wall="true"),
        open_tab("My digits"),
    ):
        texts = [text for text in texts_of(page) if "evil" in text and not text.startswith("<")]
        assert texts or "play_wall" in page.query_params
        for text in texts:
            assert "www.evil" not in text and "![" not in text
        assert "<b>x</b>" not in html(page)
