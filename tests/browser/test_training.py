"""Runs that are trained on the page: by themselves, and of a network that was built there."""

import re
import zipfile

from playwright.sync_api import expect

from mnist_core.export.formats import FORMATS
from mnist_core.formatting import percent
from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.store import RunStore
from tests.browser.conftest import at_rest
from tests.browser.pen import draw_digit
from tests.browser.train_page import OUTCOME, button, link
from tests.stores import save_known_costs
from tests.tools.live_server import until

FINISHED = re.compile(r"★ epoch \d of 2")
SETTINGS = {"epochs": 2, "batch_size": 2, "lr": 0.01, "seed": 11}
ENDS = {"script": ".py", "pt2": ".pt2", "onnx": ".onnx", "card": "README.md"}
ENDS |= {"tensorboard": ".mnist-lab", "notebook": ".ipynb"}


def test_with_the_switch_on_moves_train_by_themselves_and_are_found_on_compare(page, server):
    store, config = RunStore(server.store), opening_config().replace(**SETTINGS)
    page.goto(link(server, config) + "&train_as_i_move=true")
    outcome = page.locator(OUTCOME)
    expect(outcome).to_contain_text(FINISHED)
    at_rest(page)  # a page that shows a finished run no longer polls
    run = store.get(config.id)
    assert run.state == "done"
    expect(outcome).to_contain_text(percent(run.summary.test_accuracy))
    page.get_by_role("radio", name=".005", exact=True).click()
    expect(page).to_have_url(re.compile("lr=0.005&.*train_as_i_move=true"))
    expect(outcome).to_contain_text(FINISHED)
    at_rest(page)
    slower = store.get(config.replace(lr=0.005).id)
    assert slower.state == "done"
    expect(outcome).to_contain_text(percent(slower.summary.test_accuracy))
    page.get_by_test_id("stTopNavLink").filter(has_text="Compare").click()
    expect(page.get_by_test_id("stMain")).to_contain_text("(yours)")


def test_a_network_built_by_keyboard_is_trained_exported_compared_and_drawn_for(page, server):
    """Five layers: typed, one added, one moved; a mistake gives its sentence on the way."""
    store = RunStore(server.store)
    begun, added, moved = (
        f"pool 4, {convolutions}, flatten, linear 10"
        for convolutions in ("conv 4 3x3", "conv 4 3x3, conv 8 3x3", "conv 8 3x3, conv 4 3x3")
    )
    own = [make_config(layers=layers, batch_size=16) for layers in (begun, added, moved)]
    save_known_costs(store, make_config("custom", batch_size=16), *own)
    page.goto(f"{server.url}/?model=custom&epochs=6&batch_size=16&seed=21")
    line = page.get_by_role("textbox", name="Layers in one line")
    line.focus()
    line.press("Control+a")
    page.keyboard.type("pool 4, conv 4 9x9, flatten, linear 10")  # without Enter
    expect(page.get_by_text("9×9 does not fit into 7×7")).to_be_visible()
    kernel = page.get_by_role("spinbutton", name="Layer 2: kernel")
    kernel.focus()
    kernel.press("Control+a")
    page.keyboard.type("3\n")
    expect(line).to_have_value(begun)
    at_rest(page)
    page.locator(".st-key-build_add").get_by_role("button").press("Enter")
    expect(line).to_have_value(added)
    at_rest(page)
    button(page, re.compile("Move layer 3 up")).press("Enter")
    expect(line).to_have_value(moved)
    at_rest(page)
    button(page, "Train").press("Enter")
    expect(page.locator(OUTCOME)).to_contain_text(re.compile("★ epoch . of 6"))
    run = next(r for r in store.list()[0] if r.config.layers == moved)
    until(lambda: store.get(run.id).state == "done", "it does not end")
    assert store.get(run.id).summary.parameters == 742  # 80 + 292 + 370
    at_rest(page)
    page.get_by_role("textbox", name="Name").fill("Tiny one")
    page.keyboard.press("Enter")
    at_rest(page)

    page.get_by_role("tab", name="Files and command").click()
    every_export_is_a_file(page, run.id)
    page.get_by_role("button", name="Draw for it").click()
    expect(page.get_by_role("combobox", name=re.compile("Network"))).to_have_value(
        re.compile("Tiny one")
    )
    draw_digit(page, 1)
    page.get_by_test_id("stTopNavLink").filter(has_text="Compare").click()
    expect(page.get_by_test_id("stMain")).to_contain_text("Tiny one")


def every_export_is_a_file(page, run_id):
    """Presses each button, and looks into the archive that comes."""
    for name, kind in FORMATS.items():
        if kind.missing():
            expect(button(page, kind.title)).to_be_disabled()
            continue
        with page.expect_download() as download:
            button(page, kind.title).click()
        file = download.value
        assert file.suggested_filename == f"{run_id}-{name}.zip"
        with zipfile.ZipFile(file.path()) as archive:
            names = archive.namelist()
            assert names and archive.testzip() is None
            assert all(archive.getinfo(each).file_size > 100 for each in names)
            assert names[0].endswith(ENDS[name]), names
