"""My digits: drawings saved with their labels, and how every network reads them."""

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import distinct_titles
from mnist_core.data.handwriting import Handwriting, Sample
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import hardest_first, labels_of_each
from mnist_core.evaluation.network import Network
from mnist_core.formatting import counted, plain
from mnist_core.imaging import tiles
from mnist_core.imaging.preprocess import INK
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.playground import markup
from pages.components.playground.input import Input
from pages.components.playground.networks import networks
from pages.components.shared.cache import cached, weights_of
from pages.components.shared.common import show_errors
from pages.components.shared.visitor import actions, may_change

THUMB = 2  # screen pixels a side for each of 28
MOST_SHOWN = 60


@show_errors
def handwriting(runs: list[Run], one: Input) -> None:
    """Saving this drawing, the accuracy of each network on all of them, and their mistakes."""
    own = Handwriting(RunStore().root, one.dataset)
    if may_change():
        save(own, one)
    told = st.session_state.pop("play_saved", None)
    if told:
        st.markdown(told)
    samples = own.samples()
    whole, images = _readable(_key(own, samples), own, samples)
    if whole:
        show(own, whole, images, runs)
    elif not samples:
        st.markdown(f":small[No drawings for {one.dataset} are saved yet.]")
    tell_unreadable(own, [sample for sample in samples if sample not in whole])
    exchange(own, whole)


def tell_unreadable(own: Handwriting, samples: list[Sample]) -> None:
    """Drawings whose files are damaged or gone are left out of everything else."""
    if not samples:
        return
    names = ", ".join(sample.file for sample in samples[:3]) + (" …" if samples[3:] else "")
    st.warning(
        f"{counted(len(samples), 'drawing')} cannot be read: {plain(names)}",
        icon=":material/broken_image:",
    )
    if not _may_remove(own, samples):
        return
    st.button(
        "Remove unreadable drawings",
        key="play_remove_unreadable",
        on_click=_remove,
        args=(own, [sample.file for sample in samples]),
    )


def save(own: Handwriting, one: Input) -> None:
    """ "This is a …": a button for each class."""
    if one.kind not in ("drawing", "picture"):
        st.info("Draw something or upload a picture, then say here what it is.")
        return
    st.markdown(
        ":small[Saved where the lab runs, next to the runs: all who use this lab share these "
        "drawings.]"
    )
    picture = one.stages[INK].image if one.kind == "drawing" else one.stages.final
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("This is", width="content")
        for label, name in enumerate(dataset_spec(one.dataset).classes):
            st.button(
                name,
                key=f"play_this_is_{label}",
                on_click=_add,
                args=(own, picture, label),
                help="Saves the drawing with this label.",
            )


def _add(own: Handwriting, picture: np.ndarray, label: int) -> None:
    try:
        actions(RunStore()).save_drawing(own, picture, label)
        name = dataset_spec(own.dataset).classes[label]
        st.session_state["play_saved"] = f":green-badge[Saved] as {name}."
    except LabError as error:
        st.session_state["play_saved"] = f":red-badge[Not saved] {plain(error)}"


def _remove(own: Handwriting, files: list[str]) -> None:
    try:
        actions(RunStore()).remove_drawings(own, files)
    except LabError as error:
        st.session_state["play_saved"] = f":red-badge[Not removed] {plain(error)}"


def _may_remove(own: Handwriting, samples: list[Sample]) -> bool:
    """Whether this visitor saved all of these."""
    act = actions(RunStore())
    return may_change() and all(act.may_remove(own, sample.file) for sample in samples)


def show(own: Handwriting, samples: list[Sample], images: np.ndarray, runs: list[Run]) -> None:
    """Accuracy by network; then the drawings that one of them misreads, worst first."""
    able, _ = networks(runs)  # the chosen one is among them, or no tab would be shown
    labels = np.array([sample.label for sample in samples])
    key = _key(own, samples)
    answers = np.stack([_answers(key, one, images) for one in able])
    right = answers == labels
    order = hardest_first(right)[:MOST_SHOWN].tolist()
    st.subheader(f"{counted(len(samples), 'drawing')} saved", anchor=False)
    titles = distinct_titles(one.run for one in able)
    rows = [
        [title, f"{row.sum()} of {len(row)}", markup.meter(row.mean())]
        for title, row in sorted(zip(titles, right, strict=True), key=lambda pair: -pair[1].sum())
    ]
    with st.container(width=460):
        st.html(markup.table(["Network", "Right", "Accuracy"], rows))
    st.subheader(
        "Misread by at least one network" if order else "Every network reads all of them",
        anchor=False,
    )
    with st.container(horizontal=True, gap="small"):
        for at in order:
            _mistake(own, samples[at], images[at], dict(zip(titles, answers[:, at], strict=True)))


def _mistake(own: Handwriting, sample: Sample, image: np.ndarray, answers: dict[str, int]) -> None:
    classes = dataset_spec(own.dataset).classes
    said = [
        f"{title}: {classes[label]}" for title, label in answers.items() if label != sample.label
    ]
    with st.container(width=96, gap="xsmall"):
        picture, side = tiles.png(tiles.enlarged(image, THUMB)), THUMB * len(image)
        st.html(markup.figure(picture, side, "", f"A drawing of {classes[sample.label]}"))
        st.markdown(f":small[is **{classes[sample.label]}**]", help=" · ".join(said))
        st.markdown(f":small[{len(said)} of {len(answers)} wrong]")
        if not _may_remove(own, [sample]):
            return
        st.button(
            "Remove",
            key=f"play_remove_{sample.file}",
            type="tertiary",
            on_click=_remove,
            args=(own, [sample.file]),
        )


@cached(lambda key, one, _images: (key, weights_of(one.run)), most=200)
def _answers(key: tuple, one: Network, images: np.ndarray) -> np.ndarray:
    """(N,) labels that this network gives; cached until the set changes."""
    return labels_of_each([one], images)[0]


@cached(lambda key, _own, _samples: key, most=20)
def _readable(
    key: tuple, own: Handwriting, samples: list[Sample]
) -> tuple[list[Sample], np.ndarray]:
    """See Handwriting.readable; cached until the set changes."""
    return own.readable(samples)


def _key(own: Handwriting, samples: list[Sample]) -> tuple:
    return str(own.folder), *((sample.file, sample.saved) for sample in samples)


def exchange(own: Handwriting, samples: list[Sample]) -> None:
    """The set as a zip, out and in."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if samples:
            st.download_button(
                "Download all drawings",
                own.to_zip,
                file_name=f"handwriting-{own.dataset}.zip",
                mime="application/zip",
                icon=":material/download:",
                on_click="ignore",
                help="A zip file of the drawings as PNGs and a CSV of their labels.",
            )
        file = may_change() and st.file_uploader(
            "Add drawings from a zip file",
            ["zip"],
            key="play_zip",
            help="A zip file that was downloaded here.",
            width=320,
        )
    if file and st.session_state.get("play_zip_done") != file.file_id:
        try:
            new = actions(RunStore()).import_drawings(own, file.getvalue())
        except LabError as error:  # told until the file is taken back
            st.error(plain(error), icon=":material/folder_zip:")
            return
        st.session_state["play_zip_done"] = file.file_id
        st.session_state["play_saved"] = f":green-badge[Added] {counted(new, 'new drawing')}."
        st.rerun()
