"""The Train page in a real browser: its controls and its map, pause, more epochs, more seeds."""

import re
import subprocess
import sys
from contextlib import suppress

from playwright.sync_api import Page, expect

from mnist_core.charts.style import DARK, LIGHT
from mnist_core.jobs import launcher
from mnist_core.models.grid import AXES, opening_config
from mnist_core.runs.process import Process
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from tests.browser.conftest import at_rest
from tests.browser.train_page import OUTCOME, button, link
from tests.stores import make_run
from tests.tools.live_server import until

TRAINING = re.compile(r"epoch \d+ of 1000 · [\d,]+ images/s")
BUTTONS = ("Train", "More runs", "Continue", "Pause", "Stop")
LONG = {"epochs": 1000, "batch_size": 16}
CURVE_IS = """colour => getComputedStyle(document.querySelector(
    ".st-key-train_accuracy .scatterlayer path.js-line")).stroke === colour"""


def boxes(page: Page) -> dict[str, dict[str, float]]:
    """Where the buttons stand. No two of them share a place."""
    found = {name: button(page, name).bounding_box() for name in BUTTONS}
    assert len({(box["x"], box["y"]) for box in found.values()}) == len(BUTTONS)
    return found


def test_the_first_batch_leaves_a_mark_in_the_loss_chart(page, server):
    config = opening_config().replace(seed=99)
    trainer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Process.of(trainer.pid)
    run = make_run(RunStore(server.store), config, state="running", epochs=0, process=process)
    progress = {"phase": "training", "epoch": 1, "step": 10, "steps": 800, "losses": [[10, 2.29]]}
    run.folder.write_progress(progress | {"images_per_second": 9000.0, "seconds_left": 20.0})
    page.goto(link(server, config))
    chart = page.locator(".st-key-train_loss")

    def mark_is_inside():
        mark = chart.locator(".points path").bounding_box()
        inside = chart.locator(".nsewdrag").bounding_box()
        return (
            mark["width"] > 4
            and inside["x"] < mark["x"] < inside["x"] + inside["width"]
            and inside["y"] < mark["y"] < inside["y"] + inside["height"]
        )

    until(mark_is_inside, "there is no mark in the chart")
    ticks = chart.locator(".ytick text").all_text_contents()
    assert len(ticks) >= 2 and len(set(ticks)) == len(ticks)
    trainer.communicate(b"\n")


def test_a_paused_run_continues_and_a_refresh_loses_nothing(page, server):
    config = opening_config().replace(**LONG)
    store = RunStore(server.store)
    page.goto(link(server, config))
    at_rest(page)
    before = boxes(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    assert boxes(page) == before  # Stop is not where Train was
    page.reload()
    button(page, "Pause").click()
    expect(page.get_by_text(re.compile(r"Paused in epoch \d+ of 1000"))).to_be_visible()
    assert store.get(config.id).state == "paused"
    at_rest(page)
    assert boxes(page) == before
    button(page, "Continue").click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    launcher.stop(store, config.id)  # from elsewhere: the page notices
    expect(page.get_by_text(re.compile(r"Stopped in epoch \d+ of 1000"))).to_be_visible()
    assert boxes(page) == before


def test_a_run_is_extended_and_repeated_with_other_seeds(page, server):
    store = RunStore(server.store)
    parent = store.get(server.tiny)
    page.goto(link(server, parent.config))
    expect(page.locator(OUTCOME)).to_contain_text("of 3")
    at_rest(page)
    button(page, "More runs").click()
    page.get_by_role("button", name="Train 2 more epochs").click()
    expect(page.locator(OUTCOME)).to_contain_text(re.compile("★ epoch . of 5"))
    longer = store.get(parent.config.replace(epochs=5).id)
    assert longer.summary.parent == parent.id and longer.history[:3] == parent.history
    at_rest(page)
    repeat = page.get_by_role("button", name=re.compile("Repeat 5 times"))
    if not repeat.is_visible():  # the menu may have stayed open
        button(page, "More runs").click()
    repeat.click()
    expect(page.get_by_text(re.compile("other runs? in progress"))).to_be_visible()
    seeds = [run for run in store.list()[0] if run.config.group == longer.config.group]
    assert sorted(run.config.seed for run in seeds) == [7, 8, 9, 10, 11]
    for run in seeds:
        if run.state in LIVE:
            launcher.stop(store, run.id)


def choose_cell(page: Page, chart, place: int, url: re.Pattern) -> None:
    """Clicks a cell of the map, again where that came too soon after the pointer: Plotly hears no
    click within milliseconds of a move."""
    cell = chart.locator(".scatterlayer .points").first.locator("path").nth(place)
    for _ in range(5):
        cell.scroll_into_view_if_needed()
        box = cell.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 15, y, steps=4)
        page.mouse.move(x, y, steps=4)
        chart.locator(".hoverlayer .hovertext").first.wait_for()
        page.mouse.click(x, y, delay=80)
        with suppress(AssertionError):
            return expect(page).to_have_url(url, timeout=10_000)
    return expect(page).to_have_url(url)


def value_of(page: Page, label: str) -> str:
    """Which stop of a control is chosen."""
    group = page.get_by_role("radiogroup", name=label)
    return group.get_by_role("radio", checked=True).inner_text()


def visible_part(page: Page, locator) -> float:
    """The share of an element's height that lies in the window."""
    box, height = locator.bounding_box(), page.viewport_size["height"]
    inside = min(box["y"] + box["height"], height) - max(box["y"], 0)
    return max(0.0, inside) / box["height"]


def test_cause_and_effect_are_in_one_view_and_move_together(page, server):
    """By keyboard, by the browser's way back, by a click in the map and by its arrows."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(server.url)
    at_rest(page)
    whole = [page.locator(f".st-key-{name}") for name in ("train_accuracy", "train_loss")]
    whole += [page.locator(f".st-key-control_{name}") for name in (*AXES, "dataset", "model")]
    whole += [button(page, name) for name in BUTTONS]
    whole.append(page.get_by_text("More settings"))
    until(lambda: all(visible_part(page, each) == 1 for each in whole), "not all is in view")
    chart = page.get_by_role("figure", name="Validation accuracy by learning rate")
    assert visible_part(page, chart) > 0.3
    assert len({button(page, name).bounding_box()["y"] for name in BUTTONS}) == 2  # two rows
    left, right = (
        page.locator(f".st-key-train_{what} .plot-container").bounding_box()
        for what in ("accuracy", "loss")
    )
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    for scheme, palette in (("dark", DARK), ("light", LIGHT)):  # while the page is looked at
        page.emulate_media(color_scheme=scheme)
        colour = f"rgb({', '.join(str(byte) for byte in bytes.fromhex(palette[0][1:]))})"
        page.wait_for_function(CURVE_IS, arg=colour)

    page.get_by_role("radio", name="0", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("dropout=0.25"))
    at_rest(page)
    page.go_back()
    expect(page).to_have_url(re.compile("dropout=0(&|$)"))
    until(lambda: value_of(page, "Dropout") == "0", "the control has not moved back")
    at_rest(page)

    column, row = AXES["lr"].index(0.1), AXES["batch_size"].index(256)
    place = row * len(AXES["lr"]) + column
    choose_cell(page, chart, place, re.compile("lr=0.1&.*batch_size=256|batch_size=256&.*lr=0.1"))
    at_rest(page)
    assert (value_of(page, "Learning rate"), value_of(page, "Batch")) == (".1", "256")
    page.get_by_role("radio", name="↑").click()  # the same without a mouse
    expect(page).to_have_url(re.compile("batch_size=1024"))
