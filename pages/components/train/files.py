"""The command that trains a run, and the run's files."""

import functools
import json
from collections.abc import Callable

import streamlit as st

from mnist_core.analysis.describe import command_of
from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.export.formats import FORMATS, zipped
from mnist_core.files import to_csv
from mnist_core.formatting import sentence
from mnist_core.runs.run import Run

WEIGHTS = "Those of the best epoch, as safetensors."


def files_and_command(config: RunConfig, run: Run | None) -> None:
    """The command that trains the same run, and the run's files."""
    st.caption(
        "This command trains the same run. On the same kind of machine the weights are identical:"
    )
    # Not highlighted: the colours would be too pale to read on light ground.
    st.code(command_of(config), language=None, wrap_lines=True)
    with st.container(horizontal=True):
        config_file = json.dumps(config.to_dict(), indent=1)
        download("Config", config_file, f"{config.id}.json", "All settings, as JSON.")
        history = to_csv(run.history) if run and run.history else None
        download("History", history, f"{config.id}.csv", "A row for each epoch, as CSV.")
        weights = run.weights if run and run.has_weights else None
        download("Weights", weights, f"{config.id}.safetensors", WEIGHTS)
    if run and run.history:
        exports(run)
    if run and run.finished and not run.has_weights:
        copy = "Press Train for a copy of this run with its weights."
        st.caption("This run has no weights." if run.path.is_dir() else copy)


def exports(run: Run) -> None:
    """A button for each format, which makes its files when it is pressed."""
    st.caption("Take it with you, in a format that other programs open.")
    with st.container(horizontal=True):
        for name, each in FORMATS.items():
            missing = each.missing()
            needs = f" It needs a package: pip install {' '.join(missing)}." if missing else ""
            st.download_button(
                each.title,
                functools.partial(_made, run, name),
                f"{run.id}-{name}.zip",
                "application/zip",
                key=f"export_{name}",
                icon=":material/ios_share:",
                on_click="ignore",
                disabled=bool(missing) or (each.needs_weights and not run.has_weights),
                help=f"{each.about}{needs} The same as: "
                f"mnist-lab export {run.id} --format {name} --out FOLDER",
            )


def _made(run: Run, name: str) -> bytes:
    """The files of a format in one archive; what went wrong as a text where it failed."""
    try:
        files = FORMATS[name].make(run)
    except LabError as error:
        files = {"why-not.txt": f"{sentence(error)}\n".encode()}
    return zipped(files)


def download(
    label: str, data: str | bytes | Callable[[], bytes] | None, name: str, help: str
) -> None:
    """A download that does not run the page again; greyed out when there is no data yet."""
    st.download_button(
        label,
        data or "",
        name,
        key=f"download_{label.lower()}",
        icon=":material/download:",
        on_click="ignore",
        disabled=data is None,
        help=help,
    )
