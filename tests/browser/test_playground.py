"""Draws digits with the mouse, in a real browser, and reads the answers from the page."""

import re
import shutil

from mnist_core.evaluation.network import load_network
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.runs.store import RunStore
from pages.components.playground.canvas import PEN, SIDE
from tests.browser.conftest import PROJECT, at_rest
from tests.browser.pen import draw_digit
from tests.drawing import draw
from tests.tools.drawing_speed import draw_together
from tests.tools.live_server import until

SHIPPED = PROJECT / "checkpoints" / "mnist-lenet5-6e531d13ef"
ANSWER = re.compile(r"Reads an? (.+) · (\d+\.\d) %")
DIGITS = (0, 1, 7)  # that the shipped network is shown


def open_playground(page, server, run_id):
    page.goto(f"{server.url}/playground?play_run={run_id}")
    page.locator("canvas.upper-canvas").wait_for()
    answer(page)
    at_rest(page)


def answer(page):
    """What the page says: the class and its share in per cent."""
    heading = page.get_by_role("heading", name=ANSWER)
    heading.wait_for()
    found = ANSWER.search(heading.inner_text())
    return found[1], float(found[2])


def bright(page):
    """The share of the canvas that is covered by ink, as the browser shows it."""
    return page.locator("canvas.dc-canvas.lower-canvas").evaluate(
        """canvas => {
            const {width, height} = canvas;
            const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            let count = 0;
            for (let i = 3; i < pixels.length; i += 4) count += pixels[i] > 128;
            return count / (width * height);
        }"""
    )


def test_a_digit_is_drawn_in_one_view_and_gets_the_answer_of_the_network(page, server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_playground(page, server, server.tiny)
    canvas = page.locator("canvas.upper-canvas").bounding_box()
    bars = page.locator(".play-bars").bounding_box()
    votes = page.locator(".play-votes, .st-key-play_votes").first.bounding_box()
    tile = page.get_by_role("button", name="conv1, map 0").bounding_box()
    assert canvas["height"] == canvas["width"] == SIDE
    for box in (canvas, bars, votes, tile):
        assert box["y"] > 0 and box["y"] + box["height"] < 720
    assert canvas["x"] + canvas["width"] < bars["x"] < bars["x"] + bars["width"] < votes["x"]

    example = answer(page)
    assert page.get_by_text("Example").count() == 1
    page.get_by_role("tab", name="How it was prepared").click()
    images = page.locator(".play-figures img")
    images.nth(5 + 5).wait_for()  # the steps, and the nearest training images
    at_rest(page)
    sizes = images.evaluate_all("l => l.map(e => [e.naturalWidth, e.clientWidth, e.alt])")
    assert len(sizes) == 5 + 6
    assert all(natural == shown > 0 and alt for natural, shown, alt in sizes), sizes
    assert page.get_by_role("button", name="Fullscreen").count() == 0

    draw_digit(page, 1)
    run = RunStore(server.store).get(server.tiny)
    stroke = draw(1, canvas=SIDE, size=0.7, stroke=PEN / (0.7 * SIDE), ink=(255,) * 4)
    shares = load_network(run).probabilities(from_canvas(stroke).final[None])[0]
    label, share = answer(page)
    assert int(label) == shares.argmax() and abs(share - 100 * shares.max()) < 15
    assert (label, share) != example


def test_undo_clear_and_another_page(page, server):
    open_playground(page, server, server.tiny)
    draw_digit(page, 1)
    one, first = bright(page), answer(page)
    draw_digit(page, 7)
    assert bright(page) > 1.3 * one > 0
    for _ in range(2):  # after another stroke the same start must take effect again
        page.locator(".st-key-play_undo button:visible").click()
        shows(page, first, lambda ink: abs(ink - one) < 0.01)
        at_rest(page)
        draw_digit(page, 7)
    both = answer(page)
    page.reload()
    shows(page, both, lambda ink: ink > 1.3 * one)
    at_rest(page)
    page.get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare*")
    at_rest(page)
    page.get_by_role("link", name="Playground").click()
    shows(page, both, lambda ink: ink > 1.3 * one)
    at_rest(page)
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_text("Nothing drawn yet").first.wait_for()
    at_rest(page)
    assert bright(page) == 0 and page.get_by_role("heading", name=ANSWER).count() == 0
    assert page.get_by_role("button", name="fc1, unit 0: empty").count() == 1


def shows(page, read, ink):
    """Waits until the page reads this, and the canvas has such an amount of ink."""
    page.get_by_text("Yours", exact=True).wait_for()
    page.locator("canvas.dc-canvas.lower-canvas").wait_for()
    until(lambda: answer(page) == read and ink(bright(page)), f"it does not show {read}")


ARITHMETIC = ("products add up to", "the bias adds", "together", "the network itself computed")


def arithmetic(page):
    """The figures that the page shows of the chosen unit."""
    found = []
    for words in ARITHMETIC:
        row = page.locator(".detail tr", has_text=words)
        found.append(float(row.locator("td").last.inner_text().replace("−", "-")))
    products, bias, total, computed = found
    assert abs(products + bias - total) < 2e-5 and abs(total - computed) <= 1e-5
    return found


def lit(page, column):
    """Where a patch is lit up in the maps of this column: the boxes in the page's pixels."""
    frames = page.get_by_role("button", name=re.compile(f"^{column}, map")).locator(".patch")
    return [frame.bounding_box() for frame in frames.all() if frame.is_visible()]


def test_the_network_by_keyboard_and_by_mouse(page, server):
    open_playground(page, server, server.tiny)
    stops = page.locator(".lane [tabindex='0']")
    assert stops.count() == 1  # one stop of the tab key: the arrows go on from there
    stops.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    focused = "document.activeElement.shadowRoot.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "pool1, map 2"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "conv1, map 3"
    there = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != there)
    at_rest(page)
    first, there = arithmetic(page), page.url
    page.locator(".large").focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(lambda url: url != there)
    at_rest(page)
    assert arithmetic(page) != first
    assert "Row" in page.locator("p.says").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "play_unit" not in url)
    at_rest(page)
    assert not page.locator(".detail").is_visible()
    assert page.evaluate(focused) == "conv1, map 3"

    tile = page.get_by_role("button", name="conv2, map 3")
    tile.click()
    page.wait_for_url(lambda url: "play_unit=conv2%3A3" in url)
    at_rest(page)
    first = arithmetic(page)
    assert tile.get_attribute("aria-pressed") == "true" and len(lit(page, "pool1")) == 6
    large = page.locator(".large")
    side = large.bounding_box()["width"]
    large.click(position={"x": 0.05 * side, "y": 0.05 * side})
    page.wait_for_url(lambda url: "play_unit=conv2%3A3%3A0%3A0" in url)
    at_rest(page)
    assert arithmetic(page) != first
    (corner,) = {tuple(box.values()) for box in lit(page, "pool1")[:1]}
    tile = page.get_by_role("button", name="pool1, map 0").bounding_box()
    assert abs(corner[0] - tile["x"]) < 1 and abs(corner[2] - tile["width"] * 5 / 14) < 1
    draw_digit(page, 1)  # the unit stays chosen, with the numbers of the new drawing
    assert arithmetic(page) and "play_unit=conv2%3A3%3A0%3A0" in page.url


def test_the_shipped_network_reads_what_is_drawn_and_the_lab_has_something_to_try(page, server):
    shutil.copytree(SHIPPED, server.store / SHIPPED.name, dirs_exist_ok=True)
    shutil.copytree(SHIPPED.parent / "labels", server.store / "labels", dirs_exist_ok=True)
    open_playground(page, server, SHIPPED.name)
    button = page.locator(".st-key-play_try button:visible")
    start, goal = re.findall(r"\d", button.inner_text())
    button.click()
    page.get_by_text("Yours", exact=True).wait_for()
    at_rest(page)
    assert answer(page)[0] == start != goal
    draw_digit(page, 1)
    assert page.locator(".tile.changed").count() >= 5
    for digit in DIGITS:
        page.get_by_role("button", name="Clear", exact=True).click()
        page.get_by_text("Nothing drawn yet").first.wait_for()
        at_rest(page)
        draw_digit(page, digit)
        label, share = answer(page)
        assert label == str(digit) and share > 50


def test_visitors_at_once_get_their_own_answers(browser, server):
    """With twenty: python -m tests.tools.drawing_speed --visitors 20"""
    assert draw_together(browser, server.url, RunStore(server.store), count=2, rounds=1) == 0
