"""What tests of the Playground share: a stand-in for the canvas, runs, and looks at the page."""

import base64
import json
import re
import types
from functools import partial

import numpy as np

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.network import load_network
from pages.components.playground.canvas import SIDE
from tests import drawing
from tests.app import opening

open_page = partial(opening.open_page, "playground")
THREE = ("lenet5", "lenet5-1998", "small")  # networks that vote


def stroke(digit):
    """A stroke as the canvas sends it, with the digit in its path."""
    return {"type": "Path", "path": [["M", digit, 0], ["L", 9, 9]], "strokeWidth": 23}


def digits_in(drawing):
    """The digits of `stroke` in what the canvas begins with."""
    return [each["path"][0][1] for each in drawing["objects"]]


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
        self.image = drawing.draw(digits[-1], ink=drawing.WHITE, canvas=SIDE, **placing)
        self.arrive(page, digits)

    def send_beside(self, page, *digits):
        """One digit beside the other arrives from the browser."""
        places = [(i / (len(digits) - 1), 0.5) for i in range(len(digits))]
        drawn = [
            drawing.draw(digit, ink=drawing.WHITE, canvas=SIDE, size=0.3, position=place)
            for digit, place in zip(digits, places, strict=True)
        ]
        self.image = np.max(drawn, axis=0)
        self.arrive(page, digits)

    def arrive(self, page, digits):
        raw = {"objects": [stroke(digit) for digit in digits]}
        sent = {"raw": raw, "data": data_url(self.image)}
        page.session_state[self.key] = types.SimpleNamespace(drawing=sent)


def data_url(image):
    """A picture of the canvas as the browser sends it."""
    file = drawing.encode(drawing.Image.fromarray(image))
    return "data:image/png;base64," + base64.b64encode(file).decode()


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
    """What the page says it reads; None where it reads nothing."""
    found = re.search(r"<h2>(Reads .*?)</h2>", html(page))
    return found and re.sub(r"</?b>", "", found[1])


def words(page):
    """All that the page says, without the tags of its own HTML."""
    kinds = (page.markdown, page.caption, page.warning, page.error, page.info)
    said = [element.value for kind in kinds for element in kind]
    return "\n".join([*said, re.sub(r"<[^>]+>", "", html(page))])


def html(page):
    """All that the page says in HTML of its own."""
    return "\n".join(element.proto.body for element in page.get("html"))


def pictures(page, of="Output of stage"):
    """What the pictures on the page are called, those that begin like this."""
    names = re.findall(r'<img [^>]*alt="([^"]*)"', html(page))
    return [name for name in names if name.startswith(of)]


def network(page):
    """What the network's component was given."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def expected_answer(run, image):
    shares = load_network(run).probabilities(image[None])[0]
    name = dataset_spec(run.config.dataset).classes[shares.argmax()]
    return f" {name} · {100 * shares.max():.1f} %"
