"""What tests of the Train page share: its address, and its buttons."""

from playwright.sync_api import Page

from mnist_core.analysis.url import query_of

OUTCOME = ".st-key-train_status"


def link(server, config) -> str:
    return f"{server.url}/?" + "&".join(f"{k}={v}" for k, v in query_of(config).items())


def button(page: Page, name) -> "Page":
    exact = isinstance(name, str)
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=exact)
