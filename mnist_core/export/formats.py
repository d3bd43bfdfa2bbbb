"""What a run can be exported as, by name. Loads without torch."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mnist_core.export.card import card
from mnist_core.export.graph import NEEDED, not_installed, onnx, pt2
from mnist_core.export.notebook import notebook
from mnist_core.export.script import script
from mnist_core.export.tensorboard import tensorboard
from mnist_core.files import write_bytes
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


@dataclass(frozen=True)
class Format:
    """`make` gives the content of each file by its name, which may begin with a folder's."""

    title: str
    about: str
    make: Callable[[Run], dict[str, bytes]]
    needs_weights: bool = True
    packages: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """The packages that it needs and that are not installed."""
        return not_installed(self.packages)


def _card(run: Run) -> dict[str, bytes]:
    return card(run, RunStore().list()[0])


FORMATS = {
    "script": Format("Script", "One file of PyTorch, and the weights.", script),
    "pt2": Format("PyTorch program", "For torch.export.load, without this package.", pt2),
    "onnx": Format("ONNX", "For other runtimes.", onnx, packages=NEEDED),
    "card": Format("Model card", "Data, settings, results and limits in Markdown.", _card, False),
    "tensorboard": Format("TensorBoard", "The curves as an event file.", tensorboard, False),
    "notebook": Format("Notebook", "These settings, trained step by step.", notebook, False),
}


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as one archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def write(files: dict[str, bytes], folder: Path) -> list[Path]:
    """Writes the files below the folder, and returns their places. Raises OSError."""
    paths = [folder / name for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    return paths
