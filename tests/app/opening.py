"""Opens a page without a browser, at the address that a query describes."""

from pathlib import Path

from streamlit.proto.TextInput_pb2 import TextInput
from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


def open_page(name, **query):
    """The page `name` after one run, which must not raise."""
    page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    return settle(page)


def settle(page):
    """The page after another run, which must not raise."""
    page.run()
    assert not page.exception
    return page


def texts_of(page):
    """Every text of the page that Markdown is read in, or may be."""
    return [text for element in page for text in texts_in(getattr(element, "proto", None))]


def texts_in(proto):
    """The texts of a message and of those in it, also in lists such as a selectbox's options."""
    for field, value in proto.ListFields() if proto else ():
        if isinstance(proto, TextInput) and field.name == "value":
            continue  # what a visitor typed, or a link, is in the box as it is
        for each in value if field.is_repeated else [value]:
            if isinstance(each, str):
                yield each
            elif hasattr(each, "ListFields"):
                yield from texts_in(each)
