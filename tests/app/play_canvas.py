"""What tests of the Playground share: a stand-in for the canvas, runs, and looks at the page."""

import base64
import types
from functools import partial

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.network import load_network
from tests import drawing
from tests.app import opening

open_page = partial(opening.open_page, "playground")


class Canvas:
    """In place of the canvas component: keeps its state where that does, notes how it is called."""

    def __init__(self):
        self.image, self.calls = None, []

    @property
    def key(self):
        return self.calls[-1]["key"]

    def st_canvas(self, **options):
        import streamlit as st

        self.calls.append(options)
        raw = options["initial_drawing"] or {"objects": []}
        start = types.SimpleNamespace(drawing={"raw": raw, "data": None})
        st.session_state.setdefault(options["key"], start)

    def send(self, page, *digits, **placing):
        """One stroke for each digit arrives from the browser; the picture is the last one's."""
        white = (255, 255, 255, 255)
        self.image = drawing.draw(digits[-1], ink=white, canvas=280, **placing)
        raw = {"objects": [{"type": "Path", "digit": digit} for digit in digits]}
        file = drawing.encode(drawing.Image.fromarray(self.image))
        data = "data:image/png;base64," + base64.b64encode(file).decode()
        page.session_state[self.key] = types.SimpleNamespace(drawing={"raw": raw, "data": data})


def open_tab(name, page=None):
    """The page with this section open."""
    page = page or open_page()
    page.session_state["play_tab"] = name
    page.run()
    assert not page.exception
    return page


def drawn(page, canvas, *digits, **placing):
    """The page after a drawing."""
    canvas.send(page, *digits, **placing)
    page.run()
    assert not page.exception
    return page


def answer(page):
    return next(element.value for element in page.subheader if element.value.startswith("Reads"))


def words(page):
    kinds = (page.markdown, page.caption, page.warning, page.error, page.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def html(page):
    """All that the page says in HTML of its own."""
    return "\n".join(element.proto.body for element in page.get("html"))


def pictures(page, of="Output of stage"):
    """What the pictures on the page are called, those that begin like this."""
    names = [image.proto.imgs[0].alt for image in page.get("image")]
    return [name for name in names if name.startswith(of)]


def expected_answer(run, image):
    shares = load_network(run).probabilities(image[None])[0]
    name = dataset_spec(run.config.dataset).classes[shares.argmax()]
    return f"**{name}** · {100 * shares.max():.1f} %"
