"""The result of the shown run in two rows, with buttons that keep their places."""

from typing import Any

import streamlit as st

from mnist_core.analysis.diagnosis import Diagnosis
from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.formatting import plain
from mnist_core.runs.extend import EXTENDABLE
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RESUMABLE, RunState
from mnist_core.runs.store import RunStore
from pages.components.shared.common import attempt, unbroken
from pages.components.shared.visitor import actions, may_change
from pages.components.train.controls import show
from pages.components.train.curves import Curves
from pages.components.train.outcome import outcome, over_seeds
from pages.components.train.progress import in_progress
from pages.components.train.start import estimated_cost

SEEDS = 5
MOST_EPOCHS = 1000
MORE = "Training goes on from the last epoch, as a run of its own."
WELCOME = (
    "New here? This network learned to recognise {noun}s. Move a control and see what it changes, "
    "or begin with Learn in the menu above."
)
SOMEBODY_ELSE = "Somebody else started this run."
COPY = "Trains a copy of this run, which ships without its weights: a copy can be drawn for."


def result(
    store: RunStore,
    config: RunConfig,
    run: Run | None,
    runs: list[Run],
    found: Diagnosis | None,
    shown: Curves,
) -> None:
    """Two rows: how the run stands, and what there is to say of it or how far it is.

    `found`: its diagnosis; `shown`: the curves that stand below.
    """
    live = bool(run and run.state in LIVE)
    with row("train_status"):
        st.markdown(unbroken(headline(store, config, run, runs, found)), width="stretch")
        if may_change():
            train_button(store, config, run)
            more_runs(store, run, live)
    with row("train_remark"):
        if run and live:
            share, told = in_progress(run, run.folder.progress())
            st.progress(share, told, width="stretch")
        else:
            remark(config, run, found, shown)
        if may_change():
            continue_button(store, run)
            halt_button("Pause", store, run)
            halt_button("Stop", store, run)
    if run and run.summary.engine_note:
        st.caption(f":material/speed: {plain(run.summary.engine_note)}")


def row(key: str) -> Any:
    return st.container(
        horizontal=True, vertical_alignment="center", gap="small", wrap=True, key=key
    )


def headline(
    store: RunStore,
    config: RunConfig,
    run: Run | None,
    runs: list[Run],
    found: Diagnosis | None,
) -> str:
    if run is None:
        return estimated_cost(store, config)
    group = [other for other in runs if other.config.group == config.group]
    return outcome(run, found) + over_seeds(group)


def remark(config: RunConfig, run: Run | None, found: Diagnosis | None, shown: Curves) -> None:
    """One line about the run, and a button for what it advises."""
    first_time = run is not None and run.finished and "train_left" not in st.session_state
    advised = found is not None and bool(found.changes)  # its button leaves room for one sentence
    welcome = WELCOME.format(noun=dataset_spec(config.dataset).noun)
    beside = shown.before or (welcome if first_time and not advised else "")
    if found:
        grey = f" :small[:gray[{beside}]]" if beside else ""
        st.markdown(unbroken(found.sentence + grey), width="stretch")
        if found.changes and st.button(
            found.advice.capitalize(),
            key="train_advice",
            icon=":material/tune:",
            help="Moves the controls there.",
        ):
            show(config.replace(**found.changes))
            st.rerun()
        return
    note = plain(run.summary.note) if run else ""
    st.caption(note or beside or shown.words, width="stretch")


def train_button(store: RunStore, config: RunConfig, run: Run | None) -> None:
    """Trains a setting that is new, or a copy of a run of the grid."""
    copy = bool(run and can_be_copied(run))
    ready = run is None or copy
    if st.button(
        "Train",
        icon=":material/play_arrow:",
        type="primary" if ready and not copy else "secondary",
        key="train_now",
        help=COPY if copy else None,
        disabled=not ready,
    ):
        attempt(lambda: actions(store).start(config))


def can_be_copied(run: Run) -> bool:
    """Whether training makes of it what it is not: a run with a folder and weights of its own."""
    return run.state == RunState.DONE and not run.path.is_dir()


def continue_button(store: RunStore, run: Run | None) -> None:
    """Goes on with a run that was halted, or with as many epochs again as a finished one has."""
    words, go_on = continuation(store, run)
    if go_on and not may_go_on(store, run):
        words, go_on = SOMEBODY_ELSE, None
    if st.button(
        "Continue",
        icon=":material/fast_forward:",
        type="primary" if run and run.state in RESUMABLE else "secondary",
        key="train_continue",
        help=words or None,
        disabled=go_on is None,
    ):
        assert go_on is not None
        attempt(go_on)


def may_go_on(store: RunStore, run: Run | None) -> bool:
    """Whether the visitor may do so; a process that hangs is ended before."""
    act = actions(store)
    return act.may_control(run) if run and run.unresponsive else act.may_continue(run)


def continuation(store: RunStore, run: Run | None) -> tuple[str, Any]:
    """What "Continue" does with a run, in words and as a function; None where it can do nothing."""
    if run is None:
        return "", None
    if run.unresponsive:
        return "Ends the process and goes on.", lambda: actions(store).take_over(run.id)
    if run.state in RESUMABLE:
        return "Goes on where it stands.", lambda: actions(store).start(run.config)
    if run.state != RunState.DONE or run.config.epochs >= MOST_EPOCHS:
        return "", None
    epochs = min(MOST_EPOCHS, 2 * run.config.epochs)
    if extendable(run):
        words = f"Trains on from the last epoch, to {epochs} epochs in all."
        return words, lambda: show(actions(store).extend(run.id, epochs).config)

    def anew() -> None:
        longer = run.config.replace(epochs=epochs)
        actions(store).start(longer)
        show(longer)

    return f"Trains these settings from the start, for {epochs} epochs.", anew


def extendable(run: Run) -> bool:
    """Whether more epochs can follow: its schedule has no fixed length, its state is kept."""
    return run.config.schedule in EXTENDABLE and run.folder.resume_state() is not None


def halt_button(label: str, store: RunStore, run: Run | None) -> None:
    """Pause or Stop."""
    name, mine = label.lower(), actions(store).may_control(run)
    ready = run is not None and run.state in LIVE and not (run.unresponsive and name == "pause")
    if st.button(
        label,
        icon=f":material/{name}:",
        key=f"{name}_shown",
        disabled=not (ready and mine),
        help=None if mine else SOMEBODY_ELSE,
    ):
        assert run is not None
        halt(label, store, run)


def halt(label: str, store: RunStore, run: Run) -> None:
    act = actions(store)
    attempt(lambda: (act.pause if label == "Pause" else act.stop)(run.id))


def more_runs(store: RunStore, run: Run | None, live: bool) -> None:
    """What can be done with a finished run: more seeds, more epochs."""
    ready = bool(run and run.finished and not live)
    with st.popover("More runs", icon=":material/library_add:", disabled=not ready, width=140):
        if run is None or not ready:
            return
        if st.button(
            f"Repeat {SEEDS} times: how much is luck?",
            icon=":material/casino:",
            key="train_seeds",
            help="Trains the same settings with other random seeds.",
        ):
            attempt(lambda: repeat(store, run.config))
        if run.state == RunState.DONE:
            extend(store, run)


def repeat(store: RunStore, config: RunConfig) -> None:
    """Trains seeds 1 to 5 or, after a higher one, the five that begin with it (or the last)."""
    last = RunConfig.metadata("seed")["rule"].high
    first = 1 if config.seed <= SEEDS else min(config.seed, last - SEEDS + 1)
    for seed in range(first, first + SEEDS):
        seeded = config.replace(seed=seed)
        if store.find(seeded) is None:
            actions(store).start(seeded)


def extend(store: RunStore, run: Run) -> None:
    """A chosen number of epochs more, from where the run ended."""
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
    room = MOST_EPOCHS - run.config.epochs
    if room < 1:
        st.caption(f"{MOST_EPOCHS:,} epochs are the most that a run can have.")
        return
    more = st.number_input("More epochs", 1, room, min(2, room), key="train_more", help=MORE)
    if st.button(
        f"Train {more} more epochs" if more > 1 else "Train 1 more epoch",
        icon=":material/fast_forward:",
        key="train_on",
    ):
        epochs = run.config.epochs + more
        attempt(lambda: show(actions(store).extend(run.id, epochs).config))
