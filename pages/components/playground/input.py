"""The Playground's input: a canvas, a photograph or another picture, a test image."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from mnist_core.data.idx import TestImage, read_part, test_image
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.network import next_mistake
from mnist_core.evaluation.predictions import predictions
from mnist_core.formatting import plain
from mnist_core.imaging import photo, preprocess
from mnist_core.imaging.image_file import PICTURES
from mnist_core.imaging.preprocess import Stage, Stages
from mnist_core.imaging.tiles import enlarged, png
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.playground import markup
from pages.components.playground.canvas import SIDE, drawing, example, untouched
from pages.components.playground.live.drawing import live_drawing
from pages.components.playground.networks import network
from pages.components.shared import common
from pages.components.shared.cache import cached, weights_of
from pages.components.shared.visitor import actions

DRAW, LIVE, PHOTO, TEST = SOURCES = ("Draw", "Live", "Photo", "Test image")
FILE, CAMERA = "From a file", "From the camera"
KINDS = [name.removeprefix(".") for name in PICTURES]


@dataclass(frozen=True, eq=False)
class Input:
    """What is read: `kind` is example, drawing, picture or test; `truth` a test image's class."""

    kind: str
    dataset: str
    stages: Stages
    truth: int | None = None


def read_input(source: str, run: Run) -> Input | None:
    """What the visitor gave; None while there is nothing.

    On the canvas it is the lab's own example until the visitor has drawn or cleared something.
    """
    dataset = run.config.dataset
    if source == TEST:
        return _test(run)
    if source == PHOTO:
        picture = _picture(dataset)
        return Input("picture", dataset, picture) if picture else None
    fill = dataset_spec(dataset).filled
    rgba = live_drawing(run) if source == LIVE else drawing(dataset)
    drawn = None if rgba is None else preprocess.from_canvas(rgba, fill=fill)
    if drawn:
        return Input("drawing", dataset, drawn)
    if not untouched():
        return None
    stages = preprocess.from_canvas(example(dataset), fill=fill)
    assert stages  # the example has ink
    return Input("example", dataset, stages)


def nothing(source: str) -> str:
    """What is said while there is nothing to read."""
    words = {PHOTO: "No picture yet", TEST: "No test image here"}
    return words.get(source, "Nothing drawn yet")


def _picture(dataset: str) -> Stages | None:
    """A photograph or a file; None until there is one in which something is found."""
    spec = dataset_spec(dataset)
    paper = f"Dark ink on light paper, one {spec.noun}, any size; shadows and a tilt are fine."
    way = st.segmented_control(
        "Picture",
        [FILE, CAMERA],
        default=FILE,
        key="play_photo",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        help="A file, or a photograph taken now.",
    )
    if way == CAMERA:
        file = st.camera_input("A photograph", key="play_camera", help=paper)
    else:
        kinds = "A photograph, a scan, a screenshot, or a 28×28 image."
        file = st.file_uploader("A picture", KINDS, key="play_file", help=f"{kinds} {paper}")
    if file is None:
        return None
    _turn_button(file)
    return _read(file, spec.filled, photo.from_photo if way == CAMERA else photo.from_image)


def _turn_button(file: UploadedFile) -> None:
    """Turns the picture by a quarter at each click; a new picture lies as it came."""
    if st.session_state.get("play_turned", (None, 0))[0] != file.file_id:
        st.session_state["play_turned"] = (file.file_id, 0)
    st.button(
        "Turn by a quarter",
        icon=":material/rotate_90_degrees_cw:",
        key="play_turn",
        on_click=_turn,
        help="To the right. For a picture that lies on its side or upside down.",
    )


def _turn() -> None:
    file_id, turns = st.session_state["play_turned"]
    st.session_state["play_turned"] = (file_id, (turns + 1) % 4)


def _read(file: UploadedFile, fill: bool, read: Callable[..., Stages | None]) -> Stages | None:
    """The steps of an uploaded picture, cached: every click runs the page again."""
    known = st.session_state.get("play_picture")
    asked = (file.file_id, fill, st.session_state["play_turned"][1])
    if known is None or known[0] != asked:
        try:
            if known is None or known[0][0] != file.file_id:
                actions(RunStore()).check_upload()
            known = (asked, read(file.getvalue(), fill=fill, turns=asked[2]))
        except LabError as error:
            st.error(plain(error), icon=":material/broken_image:")
            return None
        st.session_state["play_picture"] = known
    if known[1] is None:
        st.warning("Nothing was found in this picture. Is there dark ink on light paper?")
    stages: Stages | None = known[1]
    return stages


def _test(run: Run) -> Input | None:
    """A test image by its number, at random, or one that this network gets wrong."""
    dataset, root = run.config.dataset, data_root()
    if not common.images_here(dataset):
        return None
    count = test_image(dataset, root, 0).count
    index = st.session_state.get("play_index", 0)
    if index >= count:
        st.session_state["play_lost"] = f"There is no test image {index}; the last is {count - 1}."
        index = count - 1
    chosen = test_image(dataset, root, index)
    name = dataset_spec(dataset).classes[chosen.label]
    factor = SIDE // IMAGE_SIDE
    picture = png(enlarged(chosen.image, factor))
    figure = markup.figure(picture, factor * IMAGE_SIDE, "", f"Test image {index}, {name}")
    st.html(markup.figures([figure]))
    _choose(run, chosen)
    st.query_params["play_test"] = st.session_state["play_test_shown"] = str(chosen.index)
    step = Stage("test image", f"Number {index} of {dataset}'s test set: {name}.", chosen.image)
    return Input("test", dataset, Stages((step,)), chosen.label)


def _choose(run: Run, chosen: TestImage) -> None:
    try:
        wrong = _wrong(run)
    except LabError:  # the run keeps no predictions: the images are read until one is wrong
        mistake: dict[str, Any] = {"on_click": _go_to_next_mistake, "args": (run, chosen.index)}
        help = "Goes to the next test image that the network gets wrong."
    else:
        mistake = {"on_click": _go_to, "args": (wrong,), "disabled": not wrong}
        help = f"It gets {len(wrong):,} of {chosen.count:,} test images wrong; this shows one."
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Random",
            icon=":material/casino:",
            on_click=_go_to,
            args=(range(chosen.count),),
            help="Any other test image.",
        )
        st.button(
            "Show a mistake",
            icon=":material/error_outline:",
            help=help,
            **mistake,
        )
    st.session_state["play_index"] = chosen.index
    st.number_input(
        "Number in the test set",
        min_value=0,
        max_value=chosen.count - 1,
        step=1,
        key="play_index",
        persist_state="session",
        on_change=clear_problem,
        help=f"From 0 to {chosen.count - 1}.",
    )


def _go_to(places: range | tuple[int, ...]) -> None:
    """Another of these places than the present one, if there is another."""
    here = st.session_state.get("play_index")
    clear_problem()
    others = [place for place in places if place != here] or list(places)
    st.session_state["play_index"] = random.choice(others)


def _go_to_next_mistake(run: Run, here: int) -> None:
    images, labels = read_part(run.config.dataset, data_root(), test=True)
    found = next_mistake(network(run), images, labels, here)
    if found is None:
        st.toast("The network gets no other test image wrong.")
    else:
        _go_to((found,))


@cached(weights_of)
def _wrong(run: Run) -> tuple[int, ...]:
    """The numbers of the test images that this network gets wrong. Raises LabError."""
    return tuple(sorted(predictions(RunStore(), run).wrong.tolist()))


def clear_problem() -> None:
    """The warning about a bad link goes when something else is chosen."""
    st.session_state["play_lost"] = None


def follow_test_link() -> None:
    """Shows the test image that the address bar names, unless it is shown already."""
    state, asked = st.session_state, st.query_params.get("play_test")
    if asked is None or asked == state.get("play_test_shown"):
        return
    state["play_test_shown"] = asked
    if asked.isascii() and asked.isdigit() and len(asked) < 8:
        state["play_way"], state["play_index"] = TEST, int(asked)
    else:
        state["play_lost"] = (
            f"The link names the test image {asked[:40]!r}, which is not a number in a test set."
        )
        st.query_params.pop("play_test", None)
