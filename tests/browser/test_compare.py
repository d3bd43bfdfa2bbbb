"""Compare in a real browser: a click on a point, a tick in the table, a cell of the matrix."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import TIMEOUT, at_rest

expect.set_options(timeout=1000 * TIMEOUT)
# Where a point of the first chart lies on the screen: of the first trace that can be clicked.
POINT = """() => {
    const chart = document.querySelector(".st-key-cmp_parameters .js-plotly-plot");
    const trace = chart.data.find(trace => trace.customdata);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.left + xaxis._offset + xaxis.d2p(trace.x[0]),
            box.top + yaxis._offset + yaxis.d2p(trace.y[0]), trace.customdata[0]];
}"""


def open_compare(page, server, query=""):
    page.goto(f"{server.url}/compare{query}")
    page.locator(".st-key-cmp_parameters .js-plotly-plot").wait_for()
    at_rest(page)


def test_a_click_on_a_point_marks_its_run_and_is_in_the_address(page, server):
    open_compare(page, server)
    x, y, run_id = page.evaluate(POINT)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(f"cmp_mark={run_id}"))
    at_rest(page)
    rings = """() => [...document.querySelectorAll(".js-plotly-plot")].slice(0, 2).map(
        chart => chart.data.some(trace => trace.marker && trace.marker.color == "#e0a800"))"""
    assert page.evaluate(rings) == [True, True]
    page.reload()
    page.locator(".st-key-cmp_parameters .js-plotly-plot").wait_for()
    at_rest(page)
    assert page.evaluate(rings) == [True, True]


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
