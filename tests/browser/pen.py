"""Draws on the Playground's canvas with the mouse."""

from playwright.sync_api import Page

from pages.components.playground.canvas import SIDE
from tests.browser.conftest import at_rest
from tests.drawing import placed_strokes

READ = "The image that was read"
CHANGED = """([name, before]) =>
    (document.querySelector(`img[alt="${name}"]`)?.getAttribute("src") ?? null) !== before"""


def source(page: Page) -> str | None:
    """The image that was read, as its address holds it; None while there is none."""
    image = page.get_by_alt_text(READ)
    return image.first.get_attribute("src") if image.count() else None


def draw_digit(page: Page, digit: int, size: float = 0.7) -> None:
    """Follows the digit's strokes with the mouse, and waits until each of them has been read."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.evaluate("e => e.scrollIntoView({block: 'center', behavior: 'instant'})")
    box = canvas.bounding_box()
    for line in placed_strokes(digit, SIDE, size=size)[0]:
        before = source(page)
        points = [(box["x"] + x, box["y"] + y) for x, y in line]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=2)
        page.mouse.up()
        page.wait_for_function(CHANGED, arg=[READ, before], polling=50)
    page.get_by_text("Yours", exact=True).wait_for()
    at_rest(page)
