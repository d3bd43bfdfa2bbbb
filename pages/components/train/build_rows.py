"""The rows of the builder: a layer each, with its settings as fields, and buttons to move it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from mnist_core.formatting import counted, plain, short_count
from mnist_core.inspection.architecture import times
from mnist_core.layers.chain import Step, in_words
from mnist_core.layers.kinds import ACTIVATIONS, Convolution, Layer, LayersError, Pooling
from mnist_core.layers.rows import (
    KINDS,
    Field,
    as_kind,
    fields_of,
    kind_of,
    layer_of,
    place_for,
    value_of,
    with_value,
)
from mnist_core.layers.text import Words

# What stands before the fields, which have longer names for screen readers.
LABELS = {"channels": "channels", "kernel": "kernel", "kernel_pool": "window", "name": "function"}
LABELS |= {name: name for name in ("stride", "padding", "rate", "outputs")}
STYLE = """<style>
.st-key-build_rows{gap:.15rem}
.st-key-build_rows [class*=st-key-build_row_]{gap:.3rem .5rem;align-items:center;
 padding:.3rem 0;border-bottom:1px solid rgba(122,135,148,.25)}
.st-key-build_rows [class*=st-key-build_move] button{min-height:2rem;min-width:2rem;
 padding:.1rem .2rem;position:relative}
.st-key-build_rows [class*=st-key-build_move] button p{position:absolute;width:1px;height:1px;
 overflow:hidden;clip-path:inset(50%)}
.st-key-build_rows [class*=st-key-build_move] [data-testid=stIconMaterial]{margin:0}
.st-key-build_rows [class*=st-key-build_field]{display:flex;flex-direction:row;align-items:center;
 gap:.35rem;font-size:.875rem}
.st-key-build_rows [class*=st-key-build_field]>*{flex:1 1 0;min-width:0}
"""
STYLE += "".join(
    f'.st-key-build_rows [class*=build_field_{name}_]::before{{content:"{label}"}}'
    for name, label in LABELS.items()
)
STYLE += "</style>"
WIDTHS = {"count": 150, "size": 118, "rate": 120, "choice": 190}


def rows(
    parts: list[str],
    steps: list[Step],
    error: LayersError | None,
    words: Words,
    change: Callable[[list[str]], None],
) -> None:
    """A row for each part of the text, and one to add another.

    `change` takes the parts over as a visitor has changed them. `steps`: what the first layers
    make of the image, up to the `error`.
    """
    layers = [layer_of(part, words) for part in parts]
    st.html(STYLE)
    with st.container(key="build_rows"):
        for place in range(len(parts)):
            about = _about(steps[place]) if place < len(steps) else ""
            Row(place, parts, layers, change).show(about)
            if error and error.place == place:
                st.error(plain(error.sentence), icon=":material/error:")
        if error and error.place is None:
            st.error(plain(error.sentence), icon=":material/error:")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox("Add a layer", list(KINDS), key="build_kind", width=220)
            add = _add, (kind, parts, layers, change)
            st.button("Add", icon=":material/add:", key="build_add", on_click=add[0], args=add[1])


def _add(
    kind: str,
    parts: list[str],
    layers: list[Layer | None],
    change: Callable[[list[str]], None],
) -> None:
    new = as_kind(None, kind)
    place = place_for(new, layers)
    change([*parts[:place], str(new), *parts[place:]])


class Row:
    """The layer at a place among the others."""

    def __init__(
        self,
        place: int,
        parts: list[str],
        layers: list[Layer | None],
        change: Callable[[list[str]], None],
    ) -> None:
        self.place, self.parts, self.change = place, parts, change
        self.layer = layers[place]
        self.number = f"Layer {place + 1}"

    def show(self, about: str) -> None:
        last = len(self.parts) - 1
        with st.container(horizontal=True, key=f"build_row_{self.place}"):
            self._button("up", "arrow_upward", self.place == 0)
            self._button("down", "arrow_downward", self.place == last)
            self._button("remove", "close", last == 0)
            if self.layer is None:
                self._text()
            else:
                self._kind(self.layer)
                for field in fields_of(self.layer):
                    self._field(self.layer, field)
            if about:
                st.caption(about, width="stretch")

    def _button(self, what: str, icon: str, off: bool) -> None:
        act = {
            "up": lambda: self._swap(self.place - 1),
            "down": lambda: self._swap(self.place),
            "remove": lambda: self._replace([]),
        }
        told = f"Remove layer {self.place + 1}"
        told = told if what == "remove" else f"Move layer {self.place + 1} {what}"
        st.button(
            told,  # for screen readers; seen is the icon
            icon=f":material/{icon}:",
            key=f"build_move_{what}_{self.place}",
            disabled=off,
            help=told,
            on_click=act[what],
        )

    def _text(self) -> None:
        """What is no layer, as it was written."""
        key = f"build_text_{self.place}"
        hold(key, self.parts[self.place])
        st.text_input(
            self.number,
            key=key,
            on_change=lambda: self._replace([st.session_state[key]]),
            label_visibility="collapsed",
            width=230,
        )

    def _kind(self, layer: Layer) -> None:
        key = f"build_kind_{self.place}"
        hold(key, kind_of(layer))
        st.selectbox(
            self.number,
            list(KINDS),
            key=key,
            on_change=lambda: self._replace([str(as_kind(layer, st.session_state[key]))]),
            label_visibility="collapsed",
            width=190,
        )

    def _field(self, layer: Layer, field: Field) -> None:
        pool = "_pool" if isinstance(layer, Pooling) else ""
        value = value_of(layer, field)
        text = "_text" if isinstance(value, str) and field.kind == "size" else ""
        key = f"build_field_{field.name}{pool}{text}_{self.place}"
        hold(key, value)

        def changed() -> None:
            given = st.session_state[key]
            if given is None:
                return
            try:
                self._replace([str(with_value(layer, field, given))])
            except LayersError as error:
                st.session_state.complaints = [error.sentence]

        options: dict[str, Any] = {"key": key, "on_change": changed}
        if field.kind == "switch":
            st.checkbox(field.label, **options, width="content")
            return
        options |= {"label_visibility": "collapsed", "width": WIDTHS[field.kind]}
        label = f"{self.number}: {field.label}"
        if text:
            st.text_input(label, **options)
        elif field.kind == "choice":
            st.selectbox(label, ACTIVATIONS, **options)
        elif field.kind == "rate":
            st.number_input(label, 0.01, float(field.high), step=0.05, format="%g", **options)
        else:
            st.number_input(label, field.low, int(field.high), step=1, **options)

    def _replace(self, new: list[str]) -> None:
        self.change([*self.parts[: self.place], *new, *self.parts[self.place + 1 :]])

    def _swap(self, first: int) -> None:
        moved = [*self.parts]
        moved[first : first + 2] = reversed(moved[first : first + 2])
        self.change(moved)


def hold(key: str, value: Any) -> None:
    """Sets a widget, unless it is as it should be: what is being typed stays."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


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
