"""Opens a page without a browser, at the address that a query describes."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


def open_page(name, **query):
    """The page `name`, run once; what it says of itself is not an exception."""
    page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    return settle(page)


def settle(page):
    """The page, run once more."""
    page.run()
    assert not page.exception
    return page
