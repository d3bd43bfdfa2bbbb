"""A lab that others use, too: read-only, with limits, and with runs of somebody else."""

import json
import os
from dataclasses import asdict
from functools import partial

import pytest
from streamlit.config import get_option
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from mnist_core.files import write_json
from mnist_core.jobs import launcher, sweep_job, visitors
from mnist_core.jobs.visitors import key_of
from mnist_core.limits import read_only
from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.process import Process
from pages.components.shared import sign_in, visitor
from tests.app.opening import PAGES as PAGES_FOLDER
from tests.app.opening import open_page, settle
from tests.app.play_canvas import drawn
from tests.app.test_search import made_up_study
from tests.stores import DEAD, add_run, make_run

HOSTS = {"localhost:8501": True, "127.0.0.1": True, "[::1]:8501": True, "rebound.example": False}
PAGES = ("learn", "train", "search", "compare", "playground")
# What a visitor of a read-only lab may press: it changes what is looked at, or what is drawn.
LOOKS = ("play_undo", "Clear", "play_try", "train_advice", "train_to_", "show_", "train_others")
LOOKS += ("cmp_chip_", "Compare top", "Start over", "Refresh", "Random", "Show a mistake")
LOOKS += ("learn_check_", "learn_go_", "learn_see_")


@pytest.fixture
def calls(monkeypatch):
    """What reaches the launcher, or whoever starts searches; nothing is trained."""
    reached = []
    for name in ("start", "extend", "pause", "stop", "take_over"):
        monkeypatch.setattr(launcher, name, lambda *given, name=name, **_: reached.append(name))
    for name in ("start", "pause"):
        told = f"{name} search"
        monkeypatch.setattr(sweep_job, name, lambda *given, told=told: reached.append(told))
    return reached


@pytest.fixture
def runs(lab):
    """A run in progress on the first screen, another one, a paused one, and one with weights;
    a paused search, and one in progress."""
    for name, process in (("paused", DEAD), ("live", Process.of(os.getpid()))):
        made_up_study(lab, name)
        job = sweep_job.folder(lab, name) / "job.json"
        write_json(job, {"process": asdict(process)})
    make_run(lab, opening_config(), state="running", process=Process.of(1))
    make_run(lab, make_config("small"), state="running", process=Process.of(1))
    make_run(lab, make_config("medium"), state="paused")
    return add_run(lab)


def names(page):
    return [button.key or button.label for button in page.button if not button.disabled]


def open_each(name, canvas):
    """The page as it opens and with what else it can show, one after the other."""
    tabs = ("Which is better?", "Robustness", "All runs")
    queries = {
        "learn": [{}, {"learn_tab": "Glossary"}],
        "train": [{}, {"model": "medium"}, {"model": "lenet5"}, {"train_as_i_move": "true"}],
        "search": [{"train_study": study} for study in ("paused", "live")],
        "compare": [{"cmp_tab": tab, "cmp_recipe": "all"} for tab in tabs],
        "playground": [{"play_tab": "My digits"}],
    }
    for query in queries[name]:
        yield open_it(name, canvas, **query)


def open_it(name, canvas, **query):
    """The page, with what can be done there at hand."""
    if name == "search":
        page = open_page("train", train_tab="Search", **query)
        page.session_state["search_form"] = True
        return settle(page)
    page = open_page(name, **query)
    if name == "learn" and not query:
        guess = next(g for g in page.get("button_group") if g.key == "learn_guess_1-learning-rate")
        page = guess.set_value("0.05").run()
        return page.button(key="learn_check_1-learning-rate").click().run()
    return drawn(page, canvas, 3) if name == "playground" else page


def test_the_server_is_for_this_machine_until_it_is_told_otherwise():
    assert get_option("server.address") == "localhost"
    assert {host: is_host_allowed(host) for host in HOSTS} == HOSTS
    assert get_option("server.maxWidgetStateSize") == 2
    assert get_option("server.fileWatcherType") == "none"


@pytest.mark.parametrize(
    "address, hosts, shared",
    [
        ("localhost", ["localhost", "127.0.0.1", "::1"], False),
        ("localhost", ["localhost", "lab.example.org"], True),  # behind a proxy of this machine
        ("localhost", ["*"], True),
        ("localhost", [], True),
        ("0.0.0.0", ["localhost"], True),
    ],
)
def test_a_lab_that_answers_to_other_names_is_shared(monkeypatch, address, hosts, shared):
    options = {"server.address": address, "server.allowedHosts": hosts}
    monkeypatch.setattr(visitor.st, "get_option", options.__getitem__)
    monkeypatch.delenv("MNIST_LIMITS", raising=False)
    monkeypatch.delenv(visitor.PASSWORD, raising=False)
    assert visitor.is_shared() is shared


@pytest.mark.parametrize("name", PAGES)
def test_a_read_only_lab_has_no_control_that_changes_anything(
    runs, store, canvas, monkeypatch, measured, prepared, calls, name
):
    files = files_in(store)
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    for page in open_each(name, canvas):
        assert [each for each in names(page) if not each.startswith(LOOKS)] == []
        keys = {each.key for each in (*page.toggle, *page.selectbox, *page.number_input)}
        assert not keys & {"train_as_i_move", "train_at_once", "train_more"}
        assert "play_zip" not in {each.key for each in page.get("file_uploader")}
    assert not measured and not prepared and not calls
    assert files == files_in(store)


def forged(page, only=""):
    """Messages as from a browser that presses at once all that changes more than `LOOKS`, or of it
    what has a key that begins like this."""
    for each in page.text_input:
        if each.label in ("Label", "Tags"):
            each.set_value("forged")
    if page.get("toggle") and "train_as_i_move" in {each.key for each in page.toggle}:
        page.toggle(key="train_as_i_move").set_value(True)
        page.selectbox(key="train_at_once").set_value(2)
    states = page._tree.get_widget_states()
    pressing = {each.id: each.key or each.label for each in page.button}
    pressed = {
        id for id, name in pressing.items() if name.startswith(only) and not name.startswith(LOOKS)
    }
    for state in states.widgets:
        if state.id in pressed:
            state.trigger_value = True
    told = {"unit": {"column": 1, "channel": 0}, "secret": "x" * 32, "value": 7, "done": [7, {}]}
    for each in page.get("bidi_component"):
        states.widgets.append(WidgetState(id=each.proto.id, json_value=json.dumps(told)))
    return states


def files_in(store):
    return {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}


@pytest.mark.parametrize("name", PAGES)
def test_forged_messages_change_nothing(
    runs, store, canvas, monkeypatch, measured, prepared, calls, name
):
    queries = {"train": {"model": "medium"}, "playground": {"play_tab": "My digits"}}
    queries["compare"] = {"cmp_tab": "All runs", "cmp_recipe": "all"}

    def opened():
        page = open_it(name, canvas, **queries.get(name, {}))
        if name == "compare" and not read_only():
            return page.selectbox(key="cmp_organise").select_index(1).run()
        return page

    only = "search_" if name == "search" else ""
    files, messages = files_in(store), forged(opened(), only)
    measured.clear(), prepared.clear()
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    page = opened()
    page._run(messages)
    assert not page.exception
    assert not measured and not prepared and not calls and files == files_in(store)
    monkeypatch.delenv("MNIST_READ_ONLY")
    if name != "learn":  # where nothing is begun or kept
        opened()._run(messages)
        assert calls or files != files_in(store)  # the same messages, where they are allowed


@pytest.fixture
def as_visitor(monkeypatch):
    """Opens a page of a shared lab as the visitor whose browser has this secret."""
    monkeypatch.setenv("MNIST_LIMITS", "waiting = 50")

    def open_as(secret, name, **query):
        known = "x" * (32 - len(secret)) + secret
        monkeypatch.setattr("pages.components.shared.visitor.browser_secret", lambda: known)
        return open_page(name, **query)

    return open_as


def test_only_who_started_a_run_can_end_it(store, calls, as_visitor, monkeypatch):
    run = make_run(store, opening_config(), state="running", process=Process.of(1))
    other = make_run(store, make_config("small"), state="running", process=Process.of(1))
    for each in (run, other):
        visitors.set_owner(store, each.id, key_of("x" * 28 + "anne"))
    buttons = {"pause_shown", "stop_shown", f"stop_{other.id}"}
    assert not buttons & set(names(as_visitor("bob", "train")))
    page = as_visitor("anne", "train")
    assert buttons <= set(names(page))
    page.button(key="stop_shown").click().run()
    assert calls == ["stop"]
    monkeypatch.setenv("MNIST_ADMIN_PASSWORD", "right")
    page = as_visitor("bob", "train")
    monkeypatch.setattr("time.sleep", lambda _: None)
    field = partial(page.text_input, key="administrator_password")
    field().input("wrong").run()
    assert page.error[0].value == "Wrong password." and not buttons & set(names(page))
    field().input("right").run()
    assert "you can stop and delete every run" in page.caption[0].value
    assert buttons <= set(names(page))


def test_where_there_is_a_provider_only_who_signs_in_may_change_anything(store, calls, monkeypatch):
    """Streamlit itself sends the browser to the provider and checks what comes back."""
    run = make_run(store, opening_config(), state="running", process=Process.of(1))
    anne = {"is_logged_in": True, "iss": "https://id.example", "sub": "7", "name": "[A](//b.c)"}
    owner = key_of("account https://id.example 7")
    visitors.set_owner(store, run.id, owner)
    assert not {"pause_shown", "train_now"} & set(names(as_user(is_logged_in=False)))
    assert {"pause_shown", "stop_shown"} <= set(names(as_user(**anne)))
    assert "pause_shown" not in names(as_user(**(anne | {"sub": "8"})))
    monkeypatch.setenv("MNIST_ADMINISTRATORS", "x@y.example, Bob@School.example")
    bob = {"is_logged_in": True, "sub": "9", "email": "bob@school.example"}
    for checked in (True, False, "true", None):
        shown = names(as_user(**bob, email_verified=checked))
        assert ("pause_shown" in shown) is (checked is True)
    page = as_user(lr="0.07", **anne)
    page.button(key="train_now").click().run()
    assert calls == ["start"] and visitors.done_lately(store, owner, "launches") == 1


def as_user(lr="0.01", **user):
    """The Train page of a visitor with these claims of the provider."""
    page = AppTest.from_file(str(PAGES_FOLDER / "train.py"), default_timeout=60)
    page.query_params["lr"] = lr
    page.user = user
    return settle(page)


def row_alone():
    from pages.components.shared import sign_in

    sign_in.sign_in_row()


def test_signing_in_and_out(monkeypatch):
    monkeypatch.setattr(sign_in.st, "secrets", {"auth": {"client_id": "x", "client_kwargs": {}}})
    page = AppTest.from_function(row_alone)
    page.user = {"is_logged_in": False}
    page.run().button(key="sign_in_").click().run()
    assert "Signing in is not set up completely" in page.error[0].value
    page.user = {"is_logged_in": True, "sub": "7", "name": "[A](//b.c)"}
    assert page.run().caption[0].value == r"Signed in as \[A\](//b.c)"
    page.button(key="sign_out").click().run()
    assert page.button(key="sign_in_")
    monkeypatch.setattr(sign_in.st, "secrets", {"auth": {"school": {"client_id": "x"}}})
    assert sign_in.providers() == ["school"]


def test_a_refusal_is_a_sentence_and_the_page_stays(store, calls, as_visitor, monkeypatch):
    monkeypatch.setenv("MNIST_LIMITS", "launches_per_hour = 1")
    page = as_visitor("anne", "train", lr="0.07")
    page.button(key="train_now").click().run()
    assert calls == ["start"] and not page.error
    page.button(key="train_now").click().run()
    assert calls == ["start"] and "You may start 1 run per hour" in page.error[0].value
    assert page.get("plotly_chart")
