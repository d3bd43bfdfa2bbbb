"""A class draws in one set: what a pupil saves on a phone appears on the teacher's projector.

The teacher is also the server's first visitor, and comes by a link to a page that is not the first.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MENU, TIMEOUT, at_rest, menu, serving
from tests.browser.pen import draw_digit


@pytest.fixture
def shared_server(tiny_store, small_data, tmp_path, monkeypatch):
    """A lab that others use, too, so that visitors are told apart."""
    monkeypatch.setenv("MNIST_LIMITS", "waiting = 100")
    with serving(tiny_store, small_data, tmp_path / "log.txt") as server:
        yield server


def window(browser, **size):
    context = browser.new_context(viewport=size, reduced_motion="reduce")
    context.set_default_timeout(1000 * TIMEOUT)
    return context.new_page()


def test_two_visitors_in_one_set(browser, shared_server):
    teacher = window(browser, width=1280, height=900)
    teacher.goto(f"{shared_server.url}/playground?play_tab=My+digits")
    assert menu(teacher) == MENU
    expect(teacher.get_by_role("heading", name="Playground", exact=True)).to_be_visible()
    teacher.get_by_label("A set for your class or group", exact=True).fill("Class 7b")
    teacher.keyboard.press("Tab")
    at_rest(teacher)
    teacher.get_by_role("button", name="Begin").click()
    teacher.get_by_text("No drawings yet").wait_for()
    teacher.locator(".st-key-play_wall").get_by_text("Projector").click()
    link = teacher.locator(".digits-join code").inner_text()
    assert teacher.locator("canvas.upper-canvas").count() == 0

    pupil = window(browser, width=390, height=844)
    pupil.goto(f"http://{link}")
    pupil.locator("canvas.upper-canvas").wait_for()
    at_rest(pupil)
    fits_a_phone(pupil)
    pupil.get_by_label("Your tag", exact=True).fill("Anna")
    pupil.keyboard.press("Tab")
    at_rest(pupil)
    draw_digit(pupil, 7)
    pupil.locator(".st-key-play_this_is_7 button:visible").last.click()

    tile = teacher.get_by_role("button", name="7 by Anna")  # nobody touches this page
    tile.wait_for()
    expect(teacher.get_by_text("1 drawing, 1 person")).to_be_visible()
    tile.click()
    own = pupil.get_by_role("button", name="7 by Anna")
    own.wait_for()
    teacher.get_by_role("button", name="Remove").click()  # it is Anna's, in the teacher's set
    tile.wait_for(state="detached")
    own.wait_for(state="detached")
    for page in (teacher, pupil):
        page.context.close()


def fits_a_phone(page):
    """The whole canvas is in view, and nothing has to be scrolled to the side."""
    canvas = page.locator("canvas.upper-canvas").bounding_box()
    assert canvas["x"] >= 0 and canvas["x"] + canvas["width"] <= page.viewport_size["width"]
    for part in (page.get_by_test_id("stMain"), page.locator(".dc-scroll")):
        assert part.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
