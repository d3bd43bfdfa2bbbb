"""Compare in a real browser: what is in sight at once, and what clicks do."""

import re

import pytest
from playwright.sync_api import expect

from mnist_core.models.zoo import shipped_ids
from tests.browser.conftest import MENU, PROJECT, at_rest, menu, serving
from tests.tools.live_server import until

CHART = ".st-key-cmp_chart .js-plotly-plot"
# Where a run's point lies on the screen, and the point's number.
POINT = """(id) => {
    const chart = document.querySelector(".st-key-cmp_chart .js-plotly-plot");
    const trace = chart._fullData.find(trace => trace.customdata);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    const number = trace.customdata.indexOf(id);
    return [box.left + xaxis._offset + xaxis.d2p(trace.x[number]),
            box.top + yaxis._offset + yaxis.d2p(trace.y[number])];
}"""
MISSING = re.compile(r"not shown|not computed|missing|not on this machine|left out", re.I)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The runs that ship, on a machine without data sets."""
    store, none = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("no-data")
    for name in ("labels", "grid", *shipped_ids()):
        if (PROJECT / "checkpoints" / name).exists():
            (store / name).symlink_to(PROJECT / "checkpoints" / name)
    with serving((store, ""), none, none / "log.txt") as server:
        yield server


def open_compare(page, server, query=""):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/compare{query}")
    page.locator(CHART).wait_for()
    at_rest(page)


def chips(page):
    return page.locator("[class*=st-key-cmp_chip]")


def click_point(page, run_id):
    x, y = page.evaluate(POINT, run_id)
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def in_sight(page, locator):
    """Whether all of it is above the bar at the bottom, without scrolling."""
    box, bar = locator.bounding_box(), page.locator(".st-key-cmp_bar").bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= bar["y"]


def test_the_first_choice_is_in_sight_and_no_tab_says_that_something_is_missing(page, shipped):
    """To the server's first visitor, who comes by a link to a page that is not the first."""
    open_compare(page, shipped)
    assert menu(page) == MENU
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    bar = page.locator(".st-key-cmp_bar").bounding_box()
    assert bar["y"] + bar["height"] <= 720
    assert in_sight(page, page.get_by_role("heading", name=re.compile("networks|accuracy")).first)
    assert in_sight(page, page.locator(CHART))
    assert in_sight(page, page.get_by_role("tab", name="Which is better?"))
    assert in_sight(page, page.get_by_role("heading", name=re.compile("difference|better")))
    expect(chips(page)).to_have_count(2)
    chart = page.locator(CHART).bounding_box()
    page.mouse.move(640, 400)
    page.mouse.wheel(0, 3000)
    until(lambda: page.locator(CHART).bounding_box()["y"] < chart["y"] - 50, "it is scrolled")
    assert page.locator(".st-key-cmp_bar").bounding_box()["y"] == pytest.approx(bar["y"], abs=1)

    for name in ("Which is better?", "Mistakes", "Inside", "Robustness", "Curves", "All runs"):
        page.get_by_role("tab", name=name).click()
        panel = page.get_by_role("tabpanel").filter(visible=True)
        expect(panel).to_contain_text(re.compile(r"\w"))
        at_rest(page)
        assert not MISSING.search(panel.inner_text()), name
        assert not page.get_by_test_id("stAlert").count(), name
    for name, words in (("", "№ 2035: 5, read as 3"), ("playground", "networks read a")):
        page.goto(f"{shipped.url}/{name}")
        main = page.get_by_test_id("stMain")
        expect(main).to_contain_text(words)
        at_rest(page)
        if not name:  # the map says at 1280×720 which settings are best
            best = page.get_by_text(re.compile("^★ Best")).bounding_box()
            assert best["y"] + best["height"] <= 720
        assert not MISSING.search(main.inner_text()), name
        assert not page.get_by_test_id("stAlert").count(), name


def test_points_and_the_bar_add_and_remove_again_and_again(page, shipped):
    open_compare(page, shipped)
    first = page.evaluate(
        f"document.querySelector('{CHART}').data.find(t => t.customdata).customdata[0]"
    )
    for count in (3, 2, 3):
        click_point(page, first)
        expect(chips(page)).to_have_count(count)
        at_rest(page)
    expect(page).to_have_url(re.compile(f"cmp_runs={first}"))
    page.reload()
    page.locator(CHART).wait_for()
    expect(chips(page)).to_have_count(3)
    at_rest(page)
    for count in (2, 1):  # the rest by keyboard
        chips(page).first.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(chips(page)).to_have_count(count)
        at_rest(page)
    page.locator(".st-key-cmp_add input").focus()
    page.keyboard.type("UltraSmall")
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(2)
    expect(chips(page).last).to_contain_text("UltraSmall")


def test_a_cell_of_the_matrix_opens_its_images(page, server):
    open_compare(page, server, f"?cmp_tab=Mistakes&cmp_runs={server.tiny}")
    matrix = page.locator("[class*=st-key-cmp_cells] canvas").first
    matrix.scroll_into_view_if_needed()
    box = matrix.bounding_box()
    # the second row, the second class: below the heading row, right of the class's name
    page.mouse.click(box["x"] + 32 + 39 * 1.5, box["y"] + 35 * 2.5)
    expect(page.get_by_role("heading", name=re.compile(r"^1 (predicted|taken)"))).to_be_visible()
    at_rest(page)
    link = page.locator(".gallery a").first
    expect(link).to_have_attribute(
        "href", re.compile(rf"^playground\?play_run={server.tiny}&play_test=\d+$")
    )
