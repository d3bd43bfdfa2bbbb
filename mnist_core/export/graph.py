"""A run as a graph that other programs run: torch.export's .pt2, and ONNX.

Both take pixels as they are, (N, 1, 28, 28) float32 from 0 to 255, and give logits, (N, classes):
the network's own resizing and scaling are part of the graph. N may be any number.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.dataset_specs import IMAGE_SHAPE
from mnist_core.errors import LabError
from mnist_core.export.weights import model_of
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    import torch
    from torch import nn

NEEDED = ("onnx", "onnxscript")


def not_installed(packages: Iterable[str]) -> list[str]:
    """Those of the packages that are missing."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def pt2(run: Run) -> dict[str, bytes]:
    """For torch.export.load. Raises LabError for weights that cannot be read."""
    import torch

    program = _program(run)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.pt2"
        torch.export.save(program, path)
        return {f"{run.id}.pt2": path.read_bytes()}


def onnx(run: Run) -> dict[str, bytes]:
    """For any runtime that reads ONNX. Raises LabError without the packages that write it."""
    import torch

    if missing := not_installed(NEEDED):
        raise LabError(
            f"To write ONNX, {' and '.join(missing)} must be installed: pip install "
            f"{' '.join(NEEDED)}"
        )
    program = torch.onnx.export(
        _program(run), input_names=["pixels"], output_names=["logits"], dynamo=True, verbose=False
    )
    assert program is not None
    return {f"{run.id}.onnx": program.model_proto.SerializeToString()}


def _program(run: Run) -> Any:
    import torch

    example = torch.zeros(2, *IMAGE_SHAPE)  # of one image the number would become part of the graph
    images = {0: torch.export.Dim("images", min=1)}
    return torch.export.export(_from_pixels(run), (example,), dynamic_shapes={"pixels": images})


def _from_pixels(run: Run) -> nn.Module:
    from torch import nn
    from torch.nn import functional as F

    from mnist_core.data.transforms import scale_and_offset
    from mnist_core.dataset_specs import dataset_spec

    config = run.config
    scale, offset = scale_and_offset(dataset_spec(config.dataset), config.scaling)
    border = config.input_size - IMAGE_SHAPE[-1]

    class FromPixels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model_of(run)
            self.rows = nn.Buffer(_rows(config.input_size))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            if border and config.fit == "pad":
                pixels = F.pad(pixels, (border // 2, border - border // 2) * 2)
            elif border:
                pixels = (self.rows @ pixels @ self.rows.T).round()
            logits: torch.Tensor = self.network(pixels * scale + offset)
            return logits

    return FromPixels().eval()


def _rows(size: int) -> torch.Tensor:
    """(size, 28): what each row of a resized image takes of the rows before.

    As a product with it resizing is exact everywhere, so that halves are rounded alike; runtimes
    have interpolations of their own.
    """
    import torch
    from torch.nn import functional as F

    one_hot = torch.eye(IMAGE_SHAPE[-1])[None]
    return F.interpolate(one_hot, size=size, mode="linear")[0].T
