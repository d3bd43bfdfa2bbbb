"""Train: turn the knobs, see a real run, or train it now in a process of its own."""

from __future__ import annotations

import streamlit as st

from mnist_core import charts, launcher
from mnist_core.config import ACTIVATIONS, DATASETS, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.datasets import SPECS, data_root, missing_files
from mnist_core.errors import InputError
from mnist_core.links import (
    config_from_query,
    differences,
    in_words,
    nearest,
    query_of,
    seconds_needed,
    text,
)
from mnist_core.models import make_config, model_names, model_spec, recipe_of
from mnist_core.runs import Run, RunStore
from mnist_core.summary import LIVE
from pages import common

LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
DROPOUTS = (0.0, 0.02, 0.1, 0.25, 0.5)
OWN = "your own settings"
REFRESH = 1.0  # seconds between two looks at a run in progress
CHART_HEIGHT = 330


def settle_config() -> RunConfig:
    """What the page shows: the address bar's config where that is new, else the visitor's own.

    A link, and the browser's back and forward, change the address; the knobs follow it. After
    a visit to another page the address is bare, and the knobs are as they were left.
    """
    query = {k: v for k, v in st.query_params.items() if k in RunConfig.names()}
    if query != st.session_state.get("train_query") and (query or "train" not in st.session_state):
        st.session_state.train, st.session_state.complaints = config_from_query(query)
    return st.session_state.train


def remember(config: RunConfig) -> None:
    """Puts the config into the address bar."""
    query = query_of(config)
    st.session_state.train_query = query
    for name in RunConfig.names():
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
            config = make_config(value, dataset=config.dataset, seed=config.seed)
        elif name == "recipe":
            keep = {"dataset": config.dataset, "seed": config.seed}
            config = make_config(config.model, value, **keep) if value != OWN else config
        elif value is not None:
            config = config.replace(**{name: value})
    except InputError as error:
        st.session_state.complaints = [str(error)]
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
    knob(first.selectbox, "Data set", "dataset", options=DATASETS)
    names = model_names()
    knob(second.selectbox, "Network", "model", options=names, format_func=common.model_title)
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
    rates = steps(LEARNING_RATES, config.lr)
    knob(rate.select_slider, "Learning rate", "lr", options=rates, format_func=text)
    sizes = steps(BATCH_SIZES, config.batch_size)
    knob(batch.select_slider, "Batch size", "batch_size", options=sizes)
    shares = steps(DROPOUTS, config.dropout)
    knob(dropout.select_slider, "Dropout", "dropout", options=shares, format_func=text)
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
    for number, (label, name, *options) in enumerate(rows):
        column = columns[number % 4]
        key, off = f"exact_{name}", name not in used
        if options:
            knob(column.selectbox, label, name, key=key, options=options[0], disabled=off)
        else:
            rule = RunConfig.metadata(name)["rule"]
            kind = type(rule.low) if isinstance(getattr(config, name), int) else float
            limits = {"min_value": kind(rule.low), "max_value": kind(rule.high)}
            form = {} if kind is int else {"format": "%g"}
            knob(column.number_input, label, name, key=key, disabled=off, **limits, **form)


def facts(config: RunConfig, runs: list[Run]) -> None:
    """One line on the network and the data."""
    figures = common.figures_of(config.model, runs)
    recipe = recipe_of(config)
    title = model_spec(config.model).recipe(recipe).title if recipe else OWN
    parts = [f"**{common.model_title(config.model)}**", title]
    if figures:
        parts.append(f"{figures['parameters']:,} parameters")
        parts.append(f"receptive field {figures['receptive_field']} pixels")
    parts.append(f"{config.dataset}: {SPECS[config.dataset].about}")
    st.caption(" · ".join(parts))


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def outcome(run: Run) -> str:
    """A run's state and figures in one line."""
    summary = run.summary
    line = [common.STATES[run.state]]
    if summary.best_epoch:
        line.append(f"best epoch {summary.best_epoch} of {run.config.epochs}")
        line.append(f"validation **{common.percent(summary.validation_accuracy)}**")
    if summary.test_accuracy is not None:
        line.append(f"test **{common.percent(summary.test_accuracy)}**")
    if run.state in ("paused", "stopped", "interrupted"):
        line.append(f"{summary.epochs_done} of {run.config.epochs} epochs are kept")
    return " · ".join(line)


def price(config: RunConfig, runs: list[Run]) -> str:
    """What training would cost."""
    seconds = seconds_needed(config, runs)
    cost = f"about {duration(seconds)}, going by an earlier run" if seconds else "time not known"
    return f":material/radio_button_unchecked: Not trained yet · {config.epochs} epochs · {cost}"


def start(config: RunConfig) -> None:
    """Button: has the run trained, from where it stands."""
    launcher.start(RunStore(), config)


def status(config: RunConfig, run: Run | None, runs: list[Run]) -> None:
    """What there is of this run, and the button that fits. One row, whatever the state."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(outcome(run) if run else price(config, runs), width="stretch")
        if run and run.state in LIVE:
            if st.button("Stop", icon=":material/stop:", key="stop"):
                launcher.stop(RunStore(), run.id)
                st.rerun()
        elif not run or not run.finished:
            label = "Go on" if run and run.summary.epochs_done else "Train"
            if st.button(label, icon=":material/play_arrow:", type="primary", key="train_now"):
                start(config)
                st.rerun()
    if run and run.summary.note:
        st.warning(run.summary.note, icon=":material/info:")
    if run is None and missing_files(config.dataset, data_root()):
        st.caption(
            f"{config.dataset} is not on this machine yet: training downloads it first "
            f"into {data_root()}."
        )


def progress_line(run: Run, progress: dict) -> None:
    """The bar of a run in progress."""
    phase = progress.get("phase", "starting")
    if phase != "training":
        size = f" ({progress['bytes'] / 1e6:.0f} MB)" if progress.get("bytes") else ""
        words = {"waiting": "waiting for another run to end", "testing": "reading the test set"}
        st.progress(0.0, f"{words.get(phase, phase)}{size} …")
        return
    inside = progress["step"] / progress["steps"]
    done = (progress["epoch"] - 1 + inside) / run.config.epochs
    st.progress(
        min(done, 1.0),
        f"epoch {progress['epoch']} of {run.config.epochs}"
        f" · {progress['images_per_second']:,.0f} images/s"
        f" · {duration(progress['seconds_left'])} left",
    )


def curve_of(run: Run, label: str, progress: dict | None = None, faint: bool = False):
    """A run's curves, with the losses of the epoch in progress."""
    echoes = list(run.echoes)
    if progress and progress.get("losses"):
        now = progress["epoch"]
        echoes = [row for row in echoes if row["epoch"] < now]
        echoes += [{"epoch": now, "step": step, "loss": loss} for step, loss in progress["losses"]]
    per_epoch = int((progress or {}).get("steps") or max((r["step"] for r in echoes), default=0))
    best = run.summary.best_epoch
    return charts.Curve(label, run.history, best, faint, () if faint else echoes, per_epoch)


def curves(config: RunConfig, run: Run | None, runs: list[Run], progress: dict) -> None:
    """Loss and accuracy of this run; without one, of the nearest run, faint and labelled."""
    shown, stand_in = [], None
    if run and (run.summary.epochs_done or progress.get("losses")):
        shown = [curve_of(run, "", progress)]
    else:
        stand_in = nearest(config, runs)
        if stand_in:
            shown = [curve_of(stand_in, "nearest run", faint=True)]
    left, right = st.columns(2)
    with left:
        loss = charts.loss_curves(shown, CHART_HEIGHT)
        st.plotly_chart(loss, key="loss", alt="Loss by epoch", config={"displayModeBar": False})
    with right:
        accuracy = charts.accuracy_curves(shown, CHART_HEIGHT)
        st.plotly_chart(
            accuracy, key="accuracy", alt="Accuracy by epoch", config={"displayModeBar": False}
        )
    if stand_in:
        changes = differences(config, stand_in.config).items()
        words = ", ".join(f"{in_words(name)} {text(there)}" for name, (_, there) in changes)
        st.caption(f"Faint: the nearest run that is trained. It has {words}.")
    elif not shown:
        st.caption("No run of this network on this data set yet: its curves appear as it trains.")


def view(config: RunConfig) -> None:
    """Status and curves; looks again every second as long as this run is in progress."""
    store = RunStore()
    runs, _ = store.list()
    run = next((r for r in runs if r.id == config.id), None)
    live = bool(run and run.state in LIVE)
    if st.session_state.get("was_live") == config.id and not live:
        st.session_state.was_live = None
        st.rerun()  # the whole page: it need not look again every second
    st.session_state.was_live = config.id if live else None
    progress = store.progress(config.id) if live else {}
    status(config, run, runs)
    if live:
        progress_line(run, progress)
    curves(config, run, runs, progress)


def others(config: RunConfig, runs: list[Run]) -> None:
    """What else is training."""
    live = [run for run in runs if run.state in LIVE and run.id != config.id]
    if live:
        st.subheader("Also in progress")
    for run in live:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"{run.id} · {outcome(run)}", width="stretch")
            if st.button("Stop", icon=":material/stop:", key=f"stop_{run.id}"):
                launcher.stop(RunStore(), run.id)
                st.rerun()


st.title("Train")
settle_config()
for complaint in st.session_state.get("complaints", []):
    st.warning(complaint, icon=":material/link_off:")
store, runs = common.all_runs()
choose(st.session_state.train)
facts(st.session_state.train, runs)
turn_knobs(st.session_state.train)
config = st.session_state.train
remember(config)
present = next((run for run in runs if run.id == config.id), None)
polling = REFRESH if present and present.state in LIVE else None
st.fragment(view, run_every=polling)(config)
others(config, runs)
