"""How long training would take on this machine, and whether that is being measured."""

import time

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.formatting import duration
from mnist_core.jobs import cost_job, standby
from mnist_core.limits import read_only
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from pages.components.shared.visitor import may_change

MEASURING = 30.0  # seconds after which a measurement of this machine's speed is given up


def estimated_cost(store: RunStore, config: RunConfig) -> str:
    """How long training would take here; has this machine's speed measured if it is not known."""
    if read_only():
        return "**Not trained yet** · this lab is only for looking and drawing"
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
    return f"**Not trained yet** · {epochs}, {told}"


def measuring(store: RunStore, config: RunConfig) -> bool:
    """Whether this machine's speed for such configs is being measured; begins it once.

    Also while another measurement has to end first.
    """
    if not may_change() or cost.load(store, config):
        return False
    begun = st.session_state.setdefault("train_measuring", {})  # kind -> when it began, config
    kind, now = cost.kind(config), time.monotonic()
    if kind not in begun:
        if any(now - at < MEASURING and not cost.load(store, each) for at, each in begun.values()):
            return True
        try:
            if not cost_job.measure_in_background(store, config):
                return True
            begun[kind] = now, config
        except LabError:  # a store that cannot be written: the cost stays unknown
            begun[kind] = now - MEASURING, config
    return bool(now - begun[kind][0] < MEASURING)
