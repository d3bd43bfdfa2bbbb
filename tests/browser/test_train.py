"""The Train page in a real browser: train, pause, continue, more epochs, more seeds, the map."""

import re

from playwright.sync_api import Page, expect

from mnist_core.analysis.url import query_of
from mnist_core.formatting import percent
from mnist_core.jobs import launcher
from mnist_core.models.grid import opening_config
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from tests.browser.conftest import TIMEOUT, at_rest

expect.set_options(timeout=1000 * TIMEOUT)
TRAINING = re.compile(r"epoch \d+ of 1000 · [\d,]+ images/s")
SETTINGS = {"epochs": 2, "batch_size": 16, "lr": 0.03, "seed": 11}
LONG = {"epochs": 1000, "batch_size": 16}


def link(server, config) -> str:
    return f"{server.url}/?" + "&".join(f"{k}={v}" for k, v in query_of(config).items())


def button(page: Page, name) -> "Page":
    return page.get_by_test_id("stMain").get_by_role("button", name=name)


def test_a_run_trained_on_the_page_is_found_on_compare(page, server):
    config = opening_config().replace(**SETTINGS)
    page.goto(link(server, config))
    expect(page.get_by_text("Not trained yet · 2 epochs")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    outcome = page.get_by_text(re.compile(r"done · best epoch \d of 2 · validation"))
    expect(outcome).to_be_visible()
    at_rest(page)  # a page that shows a finished run no longer polls
    run = RunStore(server.store).get(config.id)
    accuracy = percent(run.summary.test_accuracy)
    assert run.state == "done" and accuracy in outcome.inner_text()
    page.get_by_test_id("stTopNavLink").filter(has_text="Compare").click()
    page.get_by_role("textbox", name="Search").fill(config.id)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMain")).to_contain_text(accuracy)


def test_a_paused_run_continues_and_a_refresh_loses_nothing(page, server):
    config = opening_config().replace(**LONG)
    store = RunStore(server.store)
    page.goto(link(server, config))
    at_rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    page.reload()
    button(page, "Pause").click()
    expect(page.get_by_text(re.compile(r"paused · .*epochs done"))).to_be_visible()
    assert store.get(config.id).state == "paused"
    at_rest(page)
    button(page, re.compile("Continue|Train")).click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    launcher.stop(store, config.id)  # from elsewhere: the page notices
    expect(page.get_by_text(re.compile(r"stopped · .*epochs done"))).to_be_visible()


def test_a_run_is_extended_and_repeated_with_other_seeds(page, server):
    store = RunStore(server.store)
    parent = store.get(server.tiny)
    page.goto(link(server, parent.config))
    expect(page.get_by_text("best epoch")).to_be_visible()
    at_rest(page)
    button(page, "More runs").click()
    page.get_by_role("button", name="Train 2 more epochs").click()
    expect(page.get_by_text(re.compile("done · best epoch . of 5"))).to_be_visible()
    longer = store.get(parent.config.replace(epochs=5).id)
    assert longer.summary.parent == parent.id and longer.history[:3] == parent.history
    at_rest(page)
    button(page, "More runs").click()
    page.get_by_role("button", name=re.compile("Repeat 5 times")).click()
    expect(page.get_by_text(re.compile("seed (8|9|10|11)")).first).to_be_visible()
    seeds = [run for run in store.list()[0] if run.config.group == longer.config.group]
    assert sorted(run.config.seed for run in seeds) == [7, 8, 9, 10, 11]
    for run in seeds:
        if run.state in LIVE:
            launcher.stop(store, run.id)


def test_a_click_in_the_map_moves_the_sliders_and_the_address(page, server):
    page.goto(server.url)
    at_rest(page)
    chart = page.get_by_role("figure", name="Validation accuracy by learning rate")
    dots = chart.locator(".scatterlayer .points").first.locator("path")
    dot = dots.nth(7 + 4)  # the second row's fifth: batch 256, learning rate 0.1
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y, steps=8)  # Plotly hears a click where it has seen the mouse hover
    page.wait_for_timeout(300)
    page.mouse.click(x, y, delay=80)
    expect(page).to_have_url(re.compile("lr=0.1&.*batch_size=256|batch_size=256&.*lr=0.1"))
    expect(page.get_by_role("slider", name="Learning rate")).to_have_value("4")
    expect(page.get_by_role("slider", name="Batch size")).to_have_value("1")


def test_a_slider_moves_the_address_and_back_moves_the_slider(page, server):
    page.goto(server.url)
    at_rest(page)
    slider = page.get_by_role("slider", name="Dropout")
    slider.focus()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("dropout=0.25"))
    at_rest(page)
    page.go_back()
    at_rest(page)
    expect(page).to_have_url(re.compile("dropout=0(&|$)"))
    expect(page.get_by_role("slider", name="Dropout")).to_have_value("0")
