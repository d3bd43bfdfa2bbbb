"""Build your own network: a line of text or rows of layers, and what each layer costs and sees."""

import re
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.formatting import counted, duration, plain, short_count
from mnist_core.imaging.field_overlay import overlay_field
from mnist_core.imaging.sample_drawings import example_image
from mnist_core.inspection.architecture import times
from mnist_core.layers.chain import Step, check, receptive_field, trace
from mnist_core.layers.kinds import Convolution, LayersError, Pooling
from mnist_core.layers.short_name import NOTATION
from mnist_core.layers.text import Words, parse
from mnist_core.models import model_title, network_of, network_title
from mnist_core.models.starting import chains, start_from
from mnist_core.runs.about import LONGEST, about
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from pages.components.shared.common import error_shown_later, show_kept_error
from pages.components.shared.gallery import gallery
from pages.components.shared.visitor import actions, may_change
from pages.components.train.build_rows import hold, rows
from pages.components.train.controls import show
from pages.components.train.start import measuring

DRAFT = "build_draft"  # what stands in the rows, which may not be a network yet
LIVE = "500ms"  # after the last key


def build(store: RunStore, config: RunConfig) -> None:
    """The builder, for a config whose network is one's own."""
    if config.model != CUSTOM:
        return
    st.subheader("Your network", anchor=False)
    text = draft(config)
    left, middle, right = st.columns([3, 1, 1], gap="small", vertical_alignment="bottom")
    with left:
        hold("build_text", text)
        st.text_input(
            "Layers in one line",
            key="build_text",
            live=LIVE,
            on_change=_text_changed,
            help="conv CHANNELS SIZE [stride N] [padding N or same] [no bias], pool SIZE, average "
            "pool SIZE, relu (or selu, tanh …), batchnorm, dropout RATE, global average, flatten, "
            "linear OUTPUTS.",
        )
    with middle:
        _start()
    with right:
        name(store, config)
    steps, error = examined(text, config)
    if error:
        st.caption(f"Above is still the last network that fits: {plain(config.layers)}")
    else:
        st.markdown(totals(store, config, steps))
        fields(config, steps)
    words = Words(dataset_spec(config.dataset).num_classes)
    rows(parts_of(text), steps, error, words, lambda parts: change(", ".join(parts)))


def name(store: RunStore, config: RunConfig) -> None:
    """A name for the network: the label of all its runs, once there is one."""
    run, act = store.find_folder(config), actions(store)
    key = f"build_name_{config.id}"
    st.session_state.setdefault(key, about(run).label if run else "")

    def changed() -> None:
        label = st.session_state[key].strip()
        for each in store.list()[0]:
            alike = network_of(each.config) == network_of(config) and each.path.is_dir()
            if alike and act.may_control(each):
                act.annotate(each.id, replace(about(each), label=label))

    st.text_input(
        "Name",
        key=key,
        max_chars=LONGEST["label"],
        placeholder=network_title(config),
        disabled=run is None or not may_change() or not act.may_control(run),
        on_change=error_shown_later(changed),
        help="What the trained network is called on all pages. Without a name it is called by its "
        f"layers: {NOTATION}.",
    )
    show_kept_error()


def draft(config: RunConfig) -> str:
    """The text in the builder: the visitor's own as long as the shown network is the same."""
    kept = st.session_state.get(DRAFT)
    if kept is None or kept[0] != config.layers:
        st.session_state[DRAFT] = kept = (config.layers, config.layers)
    return str(kept[1])


def examined(text: str, config: RunConfig) -> tuple[list[Step], LayersError | None]:
    """What each layer makes of the image, up to the first mistake; and that mistake."""
    classes = dataset_spec(config.dataset).num_classes
    try:
        layers = parse(text, Words(classes))
        return check(layers, config.input_size, classes), None
    except LayersError as error:
        return _before(text, config, error.place), error


def _before(text: str, config: RunConfig, place: int | None) -> list[Step]:
    """The layers before a mistake; all of them where it is one of the network as a whole."""
    parts = parts_of(text)[:place]
    try:
        return trace(parse(", ".join(parts)), config.input_size) if parts else []
    except LayersError:
        return []


def parts_of(text: str) -> list[str]:
    """The layers as they were written, one by one."""
    return [" ".join(part.split()) for part in re.split(r"[,;\n]", text) if part.strip()]


def change(text: str) -> None:
    """Takes a text over as it is written; the page shows its network as soon as it is one."""
    config: RunConfig = st.session_state.train
    st.session_state.complaints = []
    with suppress(InputError):  # said where the mistake is
        config = config.replace(layers=text)
    st.session_state[DRAFT] = (config.layers, text)
    show(config)


def _text_changed() -> None:
    change(st.session_state.build_text)


def _start() -> None:
    st.selectbox(
        "Start from",
        chains(),
        index=None,
        placeholder="a network …",
        key="build_start",
        format_func=model_title,
        on_change=_start_chosen,
        help="Puts the layers of a known network into your own.",
    )


def _start_chosen() -> None:
    chosen = st.session_state.build_start
    st.session_state.build_start = None
    if chosen:
        show(start_from(chosen, st.session_state.train))


def totals(store: RunStore, config: RunConfig, steps: list[Step]) -> str:
    """Parameters, MACs, receptive field and the time of an epoch."""
    known = cost.load(store, config)
    side = receptive_field(steps)
    words = [
        counted(sum(step.parameters for step in steps), "parameter"),
        f"{short_count(sum(step.macs for step in steps))} multiply-accumulates an image",
        f"receptive field {side}×{side}" if side else "no convolution",
        f"about {duration(known.epoch(config))} an epoch here" if known else "",
        "measuring the time for an epoch …" if measuring(store, config) else "",
    ]
    return " · ".join(filter(None, words))


def fields(config: RunConfig, steps: list[Step]) -> None:
    """A frame that grows over a digit, from layer to layer."""
    growing = [
        step for step in steps if isinstance(step.layer, Convolution | Pooling) and not step.whole
    ]
    image = example_image(config.dataset, config.input_size)
    gallery(
        [overlay_field(image, _middle(step, config.input_size), None, 3) for step in growing],
        [f"{step.layer}\n{times(step.field)}" for step in growing],
    )


def _middle(step: Step, side: int) -> tuple[int, int, int, int]:
    """The field of a unit in the middle, as far as it is inside the image."""
    height, width = (min(side, n) for n in step.field)
    top, left = (side - height) // 2, (side - width) // 2
    return top, left, top + height, left + width
