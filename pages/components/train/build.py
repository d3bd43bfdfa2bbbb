"""Build your own network: a line of text or rows of layers, and what each layer costs and sees."""

import re
from collections.abc import Callable

import streamlit as st

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.formatting import counted, duration, plain, short_count
from mnist_core.imaging.field_overlay import overlay_field
from mnist_core.imaging.sample_drawings import example_image
from mnist_core.inspection.architecture import times
from mnist_core.layers.chain import Step, check, in_words, receptive_field, trace
from mnist_core.layers.kinds import Convolution, LayersError, Pooling
from mnist_core.layers.text import Words, parse
from mnist_core.models import model_title
from mnist_core.models.starting import chains, start_from
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from pages.components.shared.gallery import gallery
from pages.components.train.controls import show

DRAFT = "build_draft"  # what stands in the rows, which may not be a network yet
NEW = {
    "Convolution": "conv 8 3x3",
    "Max pooling": "pool 2",
    "Average pooling": "average pool 2",
    "Activation": "relu",
    "Batch normalisation": "batchnorm",
    "Dropout": "dropout 0.25",
    "Global average": "global average",
    "Flatten": "flatten",
    "Linear": "linear 32",
}
ON_MAPS = ("conv", "pool", "average pool", "global average")
STYLE = """<style>
.st-key-build_rows{gap:.25rem}
.st-key-build_rows [data-testid=stHorizontalBlock]{align-items:center;gap:.4rem}
.st-key-build_rows [class*=st-key-build_move] button{min-height:2rem;min-width:2.2rem;
 padding:.1rem .3rem;position:relative}
.st-key-build_rows [class*=st-key-build_move] button p{position:absolute;width:1px;height:1px;
 overflow:hidden;clip-path:inset(50%)}
</style>"""


def build(store: RunStore, config: RunConfig) -> None:
    """The builder, for a config whose network is one's own."""
    if config.model != CUSTOM:
        return
    st.html(STYLE)
    st.subheader("Your network", anchor=False)
    text = draft(config)
    left, right = st.columns([3, 1], gap="small", vertical_alignment="bottom")
    with left:
        st.session_state.build_text = text
        st.text_input(
            "Layers in one line",
            key="build_text",
            on_change=_text_changed,
            help="conv CHANNELS SIZE [stride N] [padding N or same] [no bias], pool SIZE, average "
            "pool SIZE, relu (or selu, tanh …), batchnorm, dropout RATE, global average, flatten, "
            "linear OUTPUTS. Press Enter to apply.",
        )
    with right:
        _start()
    steps, error = examined(text, config)
    if error and error.place is None:
        st.error(plain(error.sentence), icon=":material/error:")
    if error:
        st.caption(f"Above is still the last network that fits: {plain(config.layers)}")
    else:
        st.markdown(totals(store, config, steps))
        fields(config, steps)
    rows(parts_of(text), steps, error)


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
    """Takes a text over; the page shows its network as soon as it is one."""
    config: RunConfig = st.session_state.train
    st.session_state.complaints = []
    try:
        config = config.replace(layers=text)
        text = config.layers
    except InputError:  # said where the mistake is
        pass
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


def rows(parts: list[str], steps: list[Step], error: LayersError | None) -> None:
    """A row for each layer, with buttons to move and remove it; then one to add another."""
    with st.container(key="build_rows"):
        for place, part in enumerate(parts):
            _row(place, part, len(parts), steps)
            if error and error.place == place:
                st.error(plain(error.sentence), icon=":material/error:")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox("Add a layer", list(NEW), key="build_kind", width=220)
            st.button("Add", icon=":material/add:", key="build_add", on_click=_add)


def _row(place: int, part: str, count: int, steps: list[Step]) -> None:
    key = f"build_layer_{place}"
    st.session_state[key] = part
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text_input(
            f"Layer {place + 1}",
            key=key,
            on_change=_edit,
            args=(place,),
            label_visibility="collapsed",
            width=230,
        )
        _button(place, "arrow_upward", "up", place == 0, _swap, place - 1)
        _button(place, "arrow_downward", "down", place == count - 1, _swap, place)
        _button(place, "close", "remove", count == 1, _remove, place)
        st.caption(_about(steps[place]) if place < len(steps) else "–", width="stretch")


def _button(
    place: int, icon: str, what: str, off: bool, act: Callable[[int], None], target: int
) -> None:
    told = f"Remove layer {place + 1}" if what == "remove" else f"Move layer {place + 1} {what}"
    st.button(
        told,  # for screen readers; seen is the icon
        icon=f":material/{icon}:",
        key=f"build_move_{what}_{place}",
        disabled=off,
        help=told,
        on_click=act,
        args=(target,),
    )


def _about(step: Step) -> str:
    words = [in_words(step.shape)]
    if step.parameters:
        words.append(counted(step.parameters, "parameter"))
    if step.macs:
        words.append(f"{short_count(step.macs)} MACs")
    if isinstance(step.layer, Convolution | Pooling) and not step.whole:
        words.append(f"sees {times(step.field)}")
    if step.sees_no_more:
        words.append(":orange[the layers before it see the whole image: no more context]")
    return " · ".join(words)


def _parts() -> list[str]:
    return parts_of(st.session_state[DRAFT][1])


def _edit(place: int) -> None:
    parts = _parts()
    parts[place : place + 1] = parts_of(st.session_state[f"build_layer_{place}"])
    change(", ".join(parts))


def _swap(place: int) -> None:
    parts = _parts()
    parts[place], parts[place + 1] = parts[place + 1], parts[place]
    change(", ".join(parts))


def _remove(place: int) -> None:
    parts = _parts()
    del parts[place]
    change(", ".join(parts))


def _add() -> None:
    """Before flatten where it works on maps, else before the last layer."""
    new, parts = NEW[st.session_state.build_kind], _parts()
    place = len(parts) - 1
    ends = [n for n, part in enumerate(parts) if part.startswith(("flatten", "global average"))]
    if ends and (new.startswith(ON_MAPS) or new in ("relu", "batchnorm")):
        place = ends[0]
    parts.insert(max(place, 0), new)
    change(", ".join(parts))
