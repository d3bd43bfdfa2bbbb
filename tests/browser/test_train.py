"""The whole loop in a real browser: train from the page, find the run on Compare."""

import re

from playwright.sync_api import expect

from mnist_core import launcher
from mnist_core.models import make_config
from mnist_core.runs import RunStore
from mnist_core.words import percent
from tests.browser.conftest import PATIENCE, at_rest

expect.set_options(timeout=1000 * PATIENCE)
TRAINING = re.compile(r"epoch \d+ of 1000 · [\d,]+ images/s")
SETTINGS = {"epochs": 2, "batch_size": 16, "lr": 0.03, "seed": 11}


def test_a_run_trained_on_the_page_is_found_on_compare(page, server):
    query = "&".join(f"{name}={value}" for name, value in SETTINGS.items())
    page.goto(f"{server.url}/?{query}")
    expect(page.get_by_text("Not trained yet · 2 epochs")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    outcome = page.get_by_text(re.compile(r"done · best epoch \d of 2 · validation"))
    expect(outcome).to_be_visible()
    at_rest(page)  # a page that shows a finished run no longer polls
    config = make_config("lenet5", **SETTINGS)
    run = RunStore(server.store).get(config.id)
    accuracy = percent(run.summary.test_accuracy)
    assert run.state == "done" and accuracy in outcome.inner_text()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Compare").click()
    page.get_by_role("textbox", name="Search").fill(config.id)
    page.keyboard.press("Enter")
    found = f"1 run. Test accuracy of the best by validation: MNIST LeNet-5 {accuracy}"
    expect(page.get_by_test_id("stMain")).to_contain_text(found)


def test_stop_ends_a_run_and_go_on_takes_it_up(page, server):
    config = make_config("lenet5", epochs=1000, batch_size=16)
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop")
    page.goto(f"{server.url}/?epochs=1000&batch_size=16")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    page.reload()  # a refresh loses nothing
    stop.click()
    expect(page.get_by_text(re.compile(r"stopped · .* epochs are kept"))).to_be_visible()
    stopped = RunStore(server.store).get(config.id)
    assert stopped.state == "stopped"
    at_rest(page)
    page.get_by_role("button", name=re.compile("Go on|Train")).click()
    expect(page.get_by_text(TRAINING)).to_be_visible()
    launcher.stop(RunStore(server.store), config.id)  # from elsewhere: the page notices
    expect(page.get_by_text(re.compile(r"stopped · .* epochs are kept"))).to_be_visible()


def test_a_slider_moves_the_address_and_back_moves_the_slider(page):
    slider = page.get_by_role("slider", name="Dropout")
    slider.focus()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("dropout=0.02"))
    at_rest(page)
    page.go_back()
    at_rest(page)
    expect(page).not_to_have_url(re.compile("dropout"))
    expect(page.get_by_role("slider", name="Dropout")).to_have_value("0")
