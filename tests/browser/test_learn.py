"""The first experiment from the prediction to its link, and a network that one watches learning."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PROJECT, at_rest
from tests.tools.live_server import until

GRID = PROJECT / "checkpoints" / "grid" / "MNIST.parquet"
GROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
KERNELS = "canvases => canvases.map(canvas => canvas.toDataURL()).join()"


@pytest.fixture
def grid(server):
    """The runs of the grid that ships, beside the tiny run."""
    copy = server.store / "grid" / GRID.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(GRID, copy)
    yield
    copy.unlink()


def test_an_experiment_leads_to_a_network_that_one_watches_learning(page, server, grid):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/learn")
    choice = page.get_by_role("radio", name="0.05")
    box = choice.bounding_box()
    assert 0 < box["y"] < 720 - box["height"]  # below the question
    choice.click()
    at_rest(page)
    page.get_by_role("button", name="Check against real runs").click()
    expect(page.get_by_text("As you predicted.")).to_be_visible()
    expect(page.get_by_text("1 of 6 experiments done")).to_be_visible()
    at_rest(page)
    assert page.evaluate("localStorage.mnist_lab_experiments") == '["1-learning-rate"]'

    page.get_by_role("button", name="Watch a network learn, step by step").click()
    kernels = page.get_by_role("img", name="First kernels").locator("canvas")
    kernels.first.wait_for()
    at_rest(page)
    sides, when = page.locator(".sides"), page.locator(".when")
    steps = sides.get_attribute("data-step")
    trained = kernels.evaluate_all(KERNELS)
    page.get_by_role("slider", name="Time in training").fill("0")
    expect(when).to_have_text("untrained")
    start = kernels.evaluate_all(KERNELS)
    page.get_by_role("button", name="Play", exact=True).click()
    expect(sides).to_have_attribute("data-step", "3")
    early = kernels.evaluate_all(KERNELS)
    expect(sides).to_have_attribute("data-step", steps)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()  # it has ended
    assert kernels.evaluate_all(KERNELS) == trained and len({trained, start, early}) == 3

    points = page.locator("canvas.points")
    points.focus()
    page.keyboard.press("ArrowRight")
    assert "chosen: a " in points.get_attribute("aria-label")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is a ")).to_be_visible()
    at_rest(page)
    light = page.evaluate(GROUND)
    page.emulate_media(color_scheme="dark")  # all is drawn anew
    until(lambda: page.evaluate(GROUND) != light, "the page stays light")
    at_rest(page)
    expect(points).to_be_visible()
