"""The knobs of the Train page, and the address bar that says where they stand."""

from __future__ import annotations

import streamlit as st

from mnist_core.analysis.url import config_from_query, query_of
from mnist_core.config import ACTIVATIONS, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.dataset_specs import dataset_names
from mnist_core.errors import InputError
from mnist_core.formatting import number
from mnist_core.models import make_config, model_names, model_spec, model_title, recipe_of
from mnist_core.models.grid import AXES, opening_config

ADDRESS = (*RunConfig.names(), "recipe")  # what of the address bar says which run is shown
OWN = "your own settings"


def settle_config() -> RunConfig:
    """What the page shows: the address bar's config where that is new, else the visitor's own.

    A link, and the browser's back and forward, change the address; the knobs follow it. After
    a visit to another page the address is bare, and the knobs are as they were left.
    """
    query = {k: v for k, v in st.query_params.items() if k in ADDRESS}
    if query != st.session_state.get("train_query") and (query or "train" not in st.session_state):
        st.session_state.train, st.session_state.complaints = config_from_query(query)
    return st.session_state.train


def remember(config: RunConfig) -> None:
    """Puts the config into the address bar."""
    query = query_of(config)
    st.session_state.train_query = query
    for name in ADDRESS:
        if name in query and st.query_params.get(name) != query[name]:
            st.query_params[name] = query[name]
        elif name not in query and name in st.query_params:
            del st.query_params[name]


def turn(name: str, key: str) -> None:
    """A knob was turned. A network brings its own recipe; a recipe sets every knob."""
    config, value = st.session_state.train, st.session_state[key]
    st.session_state.complaints = []
    try:
        if name == "model":
            config = opening_config(value).replace(dataset=config.dataset, seed=config.seed)
        elif name == "recipe":
            keep = {"dataset": config.dataset, "seed": config.seed}
            config = make_config(config.model, value, **keep) if value != OWN else config
        elif value is not None:
            config = config.replace(**{name: value})
    except InputError as error:
        st.session_state.complaints = [str(error)]
    move_to(config)


def move_to(config: RunConfig) -> None:
    """Shows another run; the one that was shown stays as a faint line."""
    if config != st.session_state.train:
        st.session_state.train_left = st.session_state.train
    st.session_state.train = config


def knob(widget, label: str, name: str, *, key: str = "", **options):
    """A widget that shows one field of the config and changes it."""
    key = key or f"knob_{name}"
    st.session_state[key] = getattr(st.session_state.train, name)
    help = RunConfig.metadata(name)["help"]
    return widget(label, key=key, on_change=turn, args=(name, key), help=help, **options)


def steps(values: tuple, present: object) -> list:
    """The steps of a slider, with the present value among them."""
    return sorted({*values, present})


def choose(config: RunConfig) -> None:
    """Data set, network and preset."""
    first, second, third = st.columns(3)
    knob(first.selectbox, "Data set", "dataset", options=dataset_names())
    names = model_names()
    knob(second.selectbox, "Network", "model", options=names, format_func=model_title)
    present = recipe_of(config)
    recipes = [recipe.name for recipe in model_spec(config.model).recipes]
    st.session_state.knob_recipe = present or OWN
    third.selectbox(
        "Preset",
        recipes if present else [*recipes, OWN],
        key="knob_recipe",
        on_change=turn,
        args=("recipe", "knob_recipe"),
        help="A named set of hyper-parameters; the reference's own comes first.",
    )


def turn_knobs(config: RunConfig) -> None:
    """The four knobs, and more."""
    rate, batch, dropout = st.columns(3)
    for column, label, name in (
        (rate, "Learning rate", "lr"),
        (batch, "Batch size", "batch_size"),
        (dropout, "Dropout", "dropout"),
    ):
        options = steps(AXES[name], getattr(config, name))
        knob(column.select_slider, label, name, options=options, format_func=number)
    knob(st.pills, "Activation", "activation", options=ACTIVATIONS, required=True)
    with st.expander("More: epochs, seed, optimiser, schedule, augmentation, exact values"):
        more_knobs(config)


def more_knobs(config: RunConfig) -> None:
    """Every other field; those that the present choice ignores are greyed out."""
    used = config.identity()
    columns = st.columns(4)
    rows = (
        ("Epochs", "epochs"),
        ("Seed", "seed"),
        ("Optimiser", "optimizer", OPTIMIZERS),
        ("Momentum", "momentum"),
        ("Weight decay", "weight_decay"),
        ("Schedule", "schedule", SCHEDULES),
        ("Step size", "step_size"),
        ("Gamma", "gamma"),
        ("Patience", "patience"),
        ("Lowest learning rate", "min_lr"),
        ("Label smoothing", "label_smoothing"),
        ("Rotation (degrees)", "rotation"),
        ("Shift (pixels)", "shift"),
        ("Exact learning rate", "lr"),
        ("Exact batch size", "batch_size"),
        ("Exact dropout", "dropout"),
    )
    for place, (label, name, *options) in enumerate(rows):
        column = columns[place % 4]
        key, off = f"exact_{name}", name not in used
        if options:
            knob(column.selectbox, label, name, key=key, options=options[0], disabled=off)
        else:
            rule = RunConfig.metadata(name)["rule"]
            kind = type(rule.low) if isinstance(getattr(config, name), int) else float
            limits = {"min_value": kind(rule.low), "max_value": kind(rule.high)}
            form = {} if kind is int else {"format": "%g"}
            knob(column.number_input, label, name, key=key, disabled=off, **limits, **form)
