"""A search on the Train page in a real browser: begun, seen ending, and a trial of it opened."""

import re

from playwright.sync_api import expect

from mnist_core.jobs import sweep_job
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import read_table
from tests.browser.conftest import TIMEOUT, at_rest
from tests.tools.live_server import until

NAME = "mnist-lenet5-1"


def test_a_search_is_begun_on_the_page_and_seen_ending(page, server):
    store = RunStore(server.store)
    page.goto(f"{server.url}/?train_tab=Search&epochs=1&batch_size=60")
    for label in ("Batch size", "Activation", "Dropout"):  # the learning rate alone varies
        page.get_by_role("button", name=label, exact=True).click()
        at_rest(page, 0.2)
    page.locator(".st-key-search_trials").get_by_role("slider").press("Home")
    expect(page.get_by_text("5 trials of 1 epoch: about")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    try:
        tab = page.locator(".st-key-search_status")
        expect(tab).to_contain_text(re.compile(r"[1-5] of 5 trials.* best"))
        winner = page.get_by_text("The winner, trained again with 5 seeds")
        expect(winner).to_be_visible(timeout=3000 * TIMEOUT)  # five runs are trained before
        expect(tab).to_contain_text("5 of 5 trials")
        until(lambda: sweep_job.process_of(store, NAME) is None, "the search has ended")
    finally:
        sweep_job.pause(store, NAME)
    expect(page.get_by_role("button", name="50 more trials")).to_be_visible()
    at_rest(page, 2)  # a search that has ended is not looked at again
    page.locator(".st-key-search_best_0 .points path").first.click(force=True)
    rates = [f"lr={row.values['lr']!r}" for row in read_table(store, NAME).rows]
    page.wait_for_url(lambda url: any(rate in url for rate in rates))
