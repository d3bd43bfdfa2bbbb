"""Train: turn the knobs, see a real run, or train it now in a process of its own."""

from __future__ import annotations

import streamlit as st

from mnist_core import charts, launcher
from mnist_core.config import RunConfig
from mnist_core.datasets import SPECS, data_root, missing_files
from mnist_core.links import (
    differences,
    nearest,
    seconds_needed,
)
from mnist_core.models import model_spec, recipe_of
from mnist_core.runs import Run, RunStore
from mnist_core.summary import LIVE
from mnist_core.words import duration, field_name, number, percent
from pages.parts import common
from pages.parts.knobs import OWN, choose, remember, settle_config, turn_knobs

REFRESH = 1.0  # seconds between two looks at a run in progress
CHART_HEIGHT = 330


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


def outcome(run: Run) -> str:
    """A run's state and figures in one line."""
    summary = run.summary
    line = [common.STATES[run.state]]
    if summary.best_epoch:
        line.append(f"best epoch {summary.best_epoch} of {run.config.epochs}")
        line.append(f"validation **{percent(summary.validation_accuracy)}**")
    if summary.test_accuracy is not None:
        line.append(f"test **{percent(summary.test_accuracy)}**")
    if run.state in ("paused", "stopped", "interrupted"):
        line.append(f"{summary.epochs_done} of {run.config.epochs} epochs are kept")
    return " · ".join(line)


def price(config: RunConfig, runs: list[Run]) -> str:
    """What training would cost."""
    seconds = seconds_needed(config, runs)
    cost = f"about {duration(seconds)}, going by an earlier run" if seconds else "time not known"
    return f":material/radio_button_unchecked: Not trained yet · {config.epochs} epochs · {cost}"


def status(config: RunConfig, run: Run | None, runs: list[Run], progress: dict) -> None:
    """What there is of this run, and the button that fits. One row, whatever the state."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        if run and run.state in LIVE:
            share, words = in_progress(run, progress)
            st.progress(share, f"{outcome(run)} · {words}", width="stretch")
            stop_button(run, "stop")
        else:
            st.markdown(outcome(run) if run else price(config, runs), width="stretch")
            if not run or not run.finished:
                train_button(config, "Go on" if run and run.summary.epochs_done else "Train")
    if run and run.summary.note:
        st.warning(run.summary.note, icon=":material/info:")
    if run is None and missing_files(config.dataset, data_root()):
        st.caption(
            f"{config.dataset} is not on this machine yet: training downloads it first "
            f"into {data_root()}."
        )


def train_button(config: RunConfig, label: str) -> None:
    if st.button(label, icon=":material/play_arrow:", type="primary", key="train_now"):
        launcher.start(RunStore(), config)
        st.rerun()


def stop_button(run: Run, key: str) -> None:
    if st.button("Stop", icon=":material/stop:", key=key):
        launcher.stop(RunStore(), run.id)
        st.session_state.was_live = None
        st.rerun()


def in_progress(run: Run, progress: dict) -> tuple[float, str]:
    """How much of the run is done, and what it is at."""
    phase = progress.get("phase", "starting")
    if phase != "training":
        size = f" ({progress['bytes'] / 1e6:.0f} MB)" if progress.get("bytes") else ""
        words = {"waiting": "waiting for another run to end", "testing": "reading the test set"}
        return 0.0, f"{words.get(phase, phase)}{size} …"
    inside = progress["step"] / progress["steps"]
    done = (progress["epoch"] - 1 + inside) / run.config.epochs
    words = (
        f"epoch {progress['epoch']} of {run.config.epochs}"
        f" · {progress['images_per_second']:,.0f} images/s"
        f" · {duration(progress['seconds_left'])} left"
    )
    return min(done, 1.0), words


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
    epochs = 0 if stand_in else config.epochs
    for column, name, draw in zip(
        st.columns(2),
        ("loss", "accuracy"),
        (charts.loss_curves, charts.accuracy_curves),
        strict=True,
    ):
        figure = draw(shown, CHART_HEIGHT, epochs)
        column.plotly_chart(figure, key=name, alt=f"{name.capitalize()} by epoch")
    if stand_in:
        changes = differences(config, stand_in.config).items()
        words = ", ".join(f"{field_name(name)} {number(there)}" for name, (_, there) in changes)
        st.caption(f"Faint: the nearest run that is trained. It has {words}.")
    elif not shown:
        st.caption("No run of this network on this data set yet: its curves appear as it trains.")


@common.in_a_sentence
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
    status(config, run, runs, progress)
    curves(config, run, runs, progress)


def others(config: RunConfig, runs: list[Run]) -> None:
    """What else is training."""
    live = [run for run in runs if run.state in LIVE and run.id != config.id]
    if live:
        st.subheader("Also in progress")
    for run in live:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"{run.id} · {outcome(run)}", width="stretch")
            stop_button(run, f"stop_{run.id}")


common.enter_through_app()
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
