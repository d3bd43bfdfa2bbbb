"""The state of the shown run in one row, and the buttons that fit it."""

import time
from contextlib import suppress

import streamlit as st

from mnist_core.analysis.describe import full_name
from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.statistics import spread
from mnist_core.formatting import duration, percent, percent_spread
from mnist_core.jobs import cost_job, launcher, standby
from mnist_core.paths import data_root
from mnist_core.runs.extend import EXTENDABLE
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RESUMABLE, RunState
from mnist_core.runs.store import AUTOMATIC, RunStore
from mnist_core.training import cost
from pages.components.shared import common
from pages.components.train.controls import show

MEASURING = 30.0  # seconds after which a measurement of this machine's speed is given up
SEEDS = 5
MOST_AT_ONCE = 8
COPY = "This run ships as curves only. A copy that is trained here has weights: you can see its "
COPY += "mistakes, draw for it and extend it."


def outcome(run: Run) -> str:
    """A run's state and figures in one line."""
    summary = run.summary
    line = [common.STATES[run.state]]
    if summary.best_epoch:
        line.append(f"best epoch {summary.best_epoch:.0f} of {run.config.epochs}")
        line.append(f"validation **{percent(summary.validation_accuracy)}**")
    if summary.test_accuracy is not None:
        line.append(f"test **{percent(summary.test_accuracy)}**")
    if run.state in RESUMABLE:
        line.append(f"{summary.epochs_done:.0f} of {run.config.epochs} epochs done")
    return " · ".join(line)


def seeds_line(group: list[Run]) -> str:
    """The test accuracy over the finished seeds of a config; empty for fewer than two."""
    tests = [run.summary.test_accuracy for run in group if run.summary.test_accuracy is not None]
    if len(tests) < 2:
        return ""
    over = spread(tests)
    return f" · {len(tests)} seeds: test {percent_spread(over.mean, over.deviation)}"


def estimated_cost(store: RunStore, config: RunConfig) -> str:
    """How long training would take here; has this machine's speed measured if it is not known."""
    known = cost.load(store, config)
    if known:
        seconds = known.run(config, standby=standby.is_ready(store))
        told = f"about {duration(seconds)} on this machine"
    elif measuring(store, config):
        told = "measuring how fast this machine is …"
    else:
        told = "training time unknown"
    if missing_files(config.dataset, data_root()):
        downloadable = dataset_spec(config.dataset).downloadable
        first = "downloading" if downloadable else "adding the files of"
        told += f", after {first} {config.dataset}"
    epochs = f"{config.epochs} epochs" if config.epochs > 1 else "1 epoch"
    return f":material/radio_button_unchecked: Not trained yet · {epochs} · {told}"


def measuring(store: RunStore, config: RunConfig) -> bool:
    """Whether this machine's speed for such configs is being measured; begins it once."""
    if cost.load(store, config):
        return False
    asked = st.session_state.setdefault("train_measuring", {})
    kind = cost.kind(config)
    if kind not in asked:
        asked[kind] = time.monotonic()
        with suppress(LabError):  # a store that cannot be written: the cost stays unknown
            cost_job.measure_in_background(store, config)
    return time.monotonic() - asked[kind] < MEASURING


def status(store: RunStore, config: RunConfig, run: Run | None, runs: list[Run]) -> None:
    """One row, whatever the state: how it stands, and the buttons that fit."""
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key="train_status"
    ):
        if run and run.state in LIVE:
            share, words = in_progress(run, run.folder.progress())
            st.progress(share, f"{outcome(run)} · {words}", width="stretch")
            controls(store, run, "shown")
        else:
            group = [other for other in runs if other.config.group == config.group]
            words = outcome(run) + seeds_line(group) if run else estimated_cost(store, config)
            st.markdown(words, width="stretch")
            train_button(store, config, run)
            if run and run.finished:
                more_runs(store, run)
    if run and run.summary.engine_note:
        st.caption(f":material/speed: {run.summary.engine_note}")


def controls(store: RunStore, run: Run, key: str) -> None:
    """Pause and stop; a run that was paused or stopped continues with one click.

    A process that hangs obeys neither: it can be ended and its run taken over.
    """
    buttons = {"pause": ("Pause", launcher.pause), "stop": ("Stop", launcher.stop)}
    if run.unresponsive:
        buttons = {"restart_alt": ("Take over", launcher.take_over)}
    for icon, (label, act) in buttons.items():
        name = label.lower().replace(" ", "_")
        if st.button(label, icon=f":material/{icon}:", key=f"{name}_{key}"):
            act(store, run.id)
            st.rerun()


def train_button(store: RunStore, config: RunConfig, run: Run | None) -> None:
    """Train, continue, or train a copy of a run whose weights do not ship."""
    if run and run.finished and (run.has_weights or run.state == RunState.DIVERGED):
        return
    copy = bool(run and run.finished)
    label = "Continue" if run and run.summary.epochs_done else "Train"
    if st.button(
        "Train a copy I can draw for" if copy else label,
        icon=":material/play_arrow:",
        type="secondary" if copy else "primary",
        key="train_now",
        help=COPY if copy else None,
    ):
        launcher.start(store, config)
        st.rerun()


def more_runs(store: RunStore, run: Run) -> None:
    """What can be done with a finished run: more seeds, more epochs."""
    with st.popover("More runs", icon=":material/forward:"):
        if st.button(
            f"Repeat {SEEDS} times: how much is luck?",
            icon=":material/casino:",
            key="train_seeds",
            help="Trains the same settings with other random seeds.",
        ):
            # Seeds 1 to 5 or, after a higher one, the five that begin with it.
            first = 1 if run.config.seed <= SEEDS else run.config.seed
            for seed in range(first, first + SEEDS):
                config = run.config.replace(seed=seed)
                if store.find(config) is None:
                    launcher.start(store, config)
            st.rerun()
        if run.state == RunState.DONE:
            extend(store, run)


def extend(store: RunStore, run: Run) -> None:
    """More epochs from where the run ended."""
    if run.config.schedule not in EXTENDABLE:
        st.caption(
            f"A {run.config.schedule} schedule is planned for a fixed number of epochs: this run "
            "cannot be extended."
        )
        return
    if run.folder.resume_state() is None:
        st.caption(
            "To extend this run, train a copy of it first: it ships without its optimiser's state."
        )
        return
    more = st.number_input("More epochs", 1, 1000 - run.config.epochs, 2, key="train_more")
    if st.button(
        f"Train {more} more epochs" if more > 1 else "Train 1 more epoch",
        icon=":material/fast_forward:",
        key="train_on",
    ):
        longer = launcher.extend(store, run.id, run.config.epochs + more)
        show(longer.config)
        st.rerun()


def in_progress(run: Run, progress: dict) -> tuple[float, str]:
    """How much of the run is done, and what it is at."""
    if run.unresponsive:
        return 0.0, f"its process has not responded for {duration(run.heartbeat_age)}"
    phase = progress.get("phase", "starting")
    if phase != "training":
        return 0.0, f"{preparing(phase, progress)} …"
    inside = progress["step"] / progress["steps"]
    done = (progress["epoch"] - 1 + inside) / run.config.epochs
    words = (
        f"epoch {progress['epoch']} of {run.config.epochs}"
        f" · {progress['images_per_second']:,.0f} images/s"
        f" · {duration(progress['seconds_left'])} left"
    )
    return min(done, 1.0), words


def preparing(phase: str, progress: dict) -> str:
    """What a process does before or after training, or what it waits for."""
    if phase == "downloading" and progress.get("bytes"):
        return f"downloading ({progress['bytes'] / 1e6:.0f} MB)"
    if phase == "waiting" and progress.get("ahead"):
        ahead = "1 run" if progress["ahead"] == 1 else f"{progress['ahead']} runs"
        return f"waiting for {ahead} ahead of it"
    if phase == "waiting":
        return "waiting for another run to finish"
    return "evaluating on the test images" if phase == "testing" else phase


def others_live(config: RunConfig, runs: list[Run]) -> list[Run]:
    """The runs in progress but the one that is shown."""
    return [run for run in runs if run.state in LIVE and run.id != config.id]


def others(store: RunStore, config: RunConfig, runs: list[Run]) -> None:
    """What else is in progress, and how many runs may train at once."""
    live = others_live(config, runs)
    st.subheader("Runs in progress")
    if not live:
        st.caption("No other run is in progress.")
    for run in live:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            share, words = in_progress(run, run.folder.progress())
            best = run.summary.validation_accuracy
            reached = f" · {percent(best, 1)}" if best is not None else ""
            if st.button(
                full_name(run.config), type="tertiary", key=f"show_{run.id}", help="Show this run"
            ):
                show(run.config)
                st.rerun()
            st.progress(share, f"{words}{reached}", width="stretch")
            controls(store, run, run.id)
    at_once(store)


def at_once(store: RunStore) -> None:
    """The setting: how many runs train at the same time."""
    key = "train_at_once"
    st.session_state[key] = min(store.at_once(), MOST_AT_ONCE)  # another tab may have changed it
    st.selectbox(
        "Runs trained at the same time",
        range(AUTOMATIC, MOST_AT_ONCE + 1),
        key=key,
        width=220,
        format_func=lambda number: str(number) if number != AUTOMATIC else "automatic",
        on_change=lambda: store.set_at_once(st.session_state[key]),
        help="Further runs wait in the queue. Automatic: one run alone uses all cores; when "
        "several wait, each trains on one core, which is faster than one after the other.",
    )
