"""Links from outside, as the first visitor of a fresh server follows them."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TIMEOUT, at_rest


@pytest.mark.parametrize("link", ["compare", "playground"])
def test_the_first_visitor_may_come_by_a_deep_link(fresh_server, browser, link):
    page = browser.new_page()
    page.set_default_timeout(1000 * TIMEOUT)
    page.goto(f"{fresh_server.url}/{link}")
    page.get_by_test_id("stTopNavLink").first.wait_for()
    at_rest(page)
    expect(page.get_by_role("heading", name=link.capitalize(), exact=True)).to_be_visible()
    menu = page.get_by_test_id("stTopNavLink").all_inner_texts()
    assert [entry.split("\n")[-1] for entry in menu] == ["Train", "Compare", "Playground"]
    page.close()
