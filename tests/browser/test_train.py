"""The Train page in a real browser: train, pause, continue, more epochs, more seeds, the map."""

import re
import subprocess
import sys
import zipfile

from playwright.sync_api import Page, expect

from mnist_core.analysis.url import query_of
from mnist_core.charts.style import DARK, LIGHT
from mnist_core.export.formats import FORMATS
from mnist_core.formatting import percent
from mnist_core.jobs import launcher
from mnist_core.models.grid import AXES, opening_config
from mnist_core.runs.process import Process
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from tests.browser.conftest import TIMEOUT, at_rest
from tests.browser.test_playground import draw_digit
from tests.stores import make_run
from tests.tools.live_server import until

expect.set_options(timeout=1000 * TIMEOUT)
TRAINING = re.compile(r"epoch \d+ of 1000 · [\d,]+ images/s")
SETTINGS = {"epochs": 2, "batch_size": 2, "lr": 0.01, "seed": 11}
ENDS = {"script": ".py", "pt2": ".pt2", "onnx": ".onnx", "card": "README.md"}
ENDS |= {"tensorboard": ".mnist-lab", "notebook": ".ipynb"}
BUTTONS = ("Train", "More runs", "Continue", "Pause", "Stop")
OUTCOME = ".st-key-train_status"
LONG = {"epochs": 1000, "batch_size": 16}
CURVE_IS = """colour => getComputedStyle(document.querySelector(
    ".st-key-train_accuracy .scatterlayer path.js-line")).stroke === colour"""


def link(server, config) -> str:
    return f"{server.url}/?" + "&".join(f"{k}={v}" for k, v in query_of(config).items())


def button(page: Page, name) -> "Page":
    exact = isinstance(name, str)
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=exact)


def test_a_run_trained_on_the_page_is_found_on_compare(page, server):
    config = opening_config().replace(**SETTINGS)
    page.goto(link(server, config))
    expect(page.get_by_text("Not trained yet · 2 epochs")).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    outcome = page.locator(OUTCOME)
    expect(outcome).to_contain_text("★ epoch 2 of 2")
    at_rest(page)  # a page that shows a finished run no longer polls
    run = RunStore(server.store).get(config.id)
    accuracy = percent(run.summary.test_accuracy)
    assert run.state == "done"
    expect(outcome).to_contain_text(accuracy)
    page.get_by_test_id("stTopNavLink").filter(has_text="Compare").click()
    expect(page.get_by_test_id("stMain")).to_contain_text("(yours)")


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
    mark = chart.locator(".points path").bounding_box()
    inside = chart.locator(".nsewdrag").bounding_box()
    assert mark["width"] > 4 and inside["x"] < mark["x"] < inside["x"] + inside["width"]
    assert inside["y"] < mark["y"] < inside["y"] + inside["height"]
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


def value_of(page: Page, label: str) -> str:
    """Which stop of a control is chosen."""
    group = page.get_by_role("radiogroup", name=label)
    return group.get_by_role("radio", checked=True).inner_text()


def test_a_click_in_the_map_moves_the_controls_and_the_address(page, server):
    page.goto(server.url)
    at_rest(page)
    chart = page.get_by_role("figure", name="Validation accuracy by learning rate")
    column, row = AXES["lr"].index(0.1), AXES["batch_size"].index(256)
    place = row * len(AXES["lr"]) + column
    cell = chart.locator(".scatterlayer .points").first.locator("path").nth(place)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y, steps=8)  # Plotly hears a click where it has seen the mouse hover
    page.wait_for_timeout(300)
    page.mouse.click(x, y, delay=80)
    expect(page).to_have_url(re.compile("lr=0.1&.*batch_size=256|batch_size=256&.*lr=0.1"))
    at_rest(page)
    assert (value_of(page, "Learning rate"), value_of(page, "Batch")) == (".1", "256")
    page.get_by_role("radio", name="↑").click()  # the same without a mouse
    expect(page).to_have_url(re.compile("batch_size=1024"))


def test_a_control_moves_the_address_and_back_moves_the_control(page, server):
    page.goto(server.url)
    at_rest(page)
    page.get_by_role("radio", name="0", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("dropout=0.25"))
    at_rest(page)
    page.go_back()
    at_rest(page)
    expect(page).to_have_url(re.compile("dropout=0(&|$)"))
    assert value_of(page, "Dropout") == "0"


def visible_part(page: Page, locator) -> float:
    """The share of an element's height that lies in the window."""
    box, height = locator.bounding_box(), page.viewport_size["height"]
    inside = min(box["y"] + box["height"], height) - max(box["y"], 0)
    return max(0.0, inside) / box["height"]


def test_cause_and_effect_are_in_one_view(page, server):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(server.url)
    at_rest(page)
    whole = [page.locator(f".st-key-{name}") for name in ("train_accuracy", "train_loss")]
    whole += [page.locator(f".st-key-control_{name}") for name in (*AXES, "dataset", "model")]
    whole += [button(page, name) for name in BUTTONS]
    whole.append(page.get_by_text("More settings"))
    until(lambda: all(visible_part(page, each) == 1 for each in whole), "not all is in view", 20)
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


def test_with_the_switch_on_a_move_trains_by_itself(page, server):
    store = RunStore(server.store)
    config = opening_config().replace(**SETTINGS | {"seed": 21})
    page.goto(link(server, config) + "&train_as_i_move=true")
    done = page.get_by_text(re.compile(r"★ epoch \d of 2"))
    expect(done).to_be_visible()
    at_rest(page)
    page.get_by_role("radio", name=".005", exact=True).click()
    expect(page).to_have_url(re.compile("lr=0.005&.*train_as_i_move=true"))
    expect(done).to_be_visible()
    assert store.get(config.id).finished and store.get(config.replace(lr=0.005).id).finished


def test_a_network_built_by_keyboard_is_trained_exported_compared_and_drawn_for(page, server):
    """Five layers: typed, one added, one moved; a mistake gives its sentence on the way."""
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
    expect(line).to_have_value("pool 4, conv 4 3x3, flatten, linear 10")
    at_rest(page)
    page.locator(".st-key-build_add").get_by_role("button").press("Enter")
    expect(line).to_have_value("pool 4, conv 4 3x3, conv 8 3x3, flatten, linear 10")
    at_rest(page)
    button(page, re.compile("Move layer 3 up")).press("Enter")
    layers = "pool 4, conv 8 3x3, conv 4 3x3, flatten, linear 10"
    expect(line).to_have_value(layers)
    at_rest(page)
    button(page, "Train").press("Enter")
    expect(page.locator(OUTCOME)).to_contain_text(re.compile("of 6"))
    run = next(r for r in RunStore(server.store).list()[0] if r.config.layers == layers)
    assert run.state == "done" and run.summary.parameters == 742  # 80 + 292 + 370
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
