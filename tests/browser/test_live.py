"""The Live canvas in a real browser: it answers while the pen is down."""

from tests.browser.conftest import at_rest


def test_bars_follow_the_pen_and_a_silenced_channel(page, server):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/playground?play_run={server.tiny}")
    page.get_by_text("Live", exact=True).first.click()
    paper = page.locator("canvas.ink")
    paper.wait_for()
    at_rest(page)
    bars, box = page.locator(".bars"), paper.bounding_box()
    tile = page.get_by_role("button", name="conv1, map 0", exact=True)
    for part in (paper, bars, tile):  # together in view
        place = part.bounding_box()
        assert place["y"] > 0 and place["y"] + place["height"] < 720
    page.mouse.move(box["x"] + 160, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=4)
    page.get_by_text("an example").wait_for(state="detached")
    half = bars.inner_text()
    page.mouse.move(box["x"] + 60, box["y"] + 280, steps=6)
    page.wait_for_function("([e, old]) => e.innerText !== old", arg=[bars.element_handle(), half])
    assert page.get_by_text("Yours", exact=True).count() == 0  # the pen is still down
    page.mouse.up()
    page.get_by_text("Yours", exact=True).wait_for()
    at_rest(page)

    intact = bars.inner_text()
    tile.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("([e, old]) => e.innerText !== old", arg=[bars.element_handle(), intact])
    assert tile.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Test accuracy").click()
    page.get_by_text("with 1 channel silenced").wait_for()
    page.get_by_role("button", name="All parts on").click()
    page.wait_for_function("([e, old]) => e.innerText === old", arg=[bars.element_handle(), intact])

    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_text("Draw here", exact=True).wait_for()
    at_rest(page)
    assert page.get_by_text("Reads a").count() == 0 and "%" not in bars.inner_text()
