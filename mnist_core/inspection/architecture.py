"""A network stage by stage: what each costs and sees, and a drawing of how they are connected.

`describe` loads torch; `dot` and `convolution_blocks` work on what it returns, without torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.models import create_model, create_model_for, make_config, model_names, model_spec

if TYPE_CHECKING:
    from torch import nn

CONVOLUTIONS = ("Conv2d", "conv2d")
FILL = {"Conv2d": "#0d9488", "conv2d": "#0d9488", "Linear": "#6d5bd0", "linear": "#6d5bd0"}
POOL, JOIN, OTHER = "#c26a00", "#c23a62", "#5f6b78"  # white letters read on all of them
JOINS = ("add", "cat", "concat", "concatenate", "mul", "sub")


def describe(model: nn.Module, input_size: int = IMAGE_SIDE) -> list[dict[str, Any]]:
    """One dictionary for each stage, in the order of computation, ready for JSON.

    `name`, `kind`, `shape`, `parameters`, `macs` as in profiling.Layer; `kernel`, `stride`,
    `field` (both sides), `jump`, `start`, `first_center`, `whole`, `inputs` as in
    receptive_field.Field, `rows` and `cols` its edges. Where the graph cannot be walked, the
    latter are None, and each stage reads the one before it. Raises InputError as `profile` does.
    """
    from mnist_core.inspection.profiling import profile
    from mnist_core.inspection.receptive_field import trace_fields
    from mnist_core.inspection.stages import UnsupportedOperation

    costs = {layer.name: layer for layer in profile(model, input_size)}
    try:
        fields = trace_fields(model, input_size)
    except UnsupportedOperation:
        return _chain(costs)
    return [
        {
            "name": name,
            "kind": field.kind,
            "shape": list(field.shape),
            "parameters": costs[name].parameters if name in costs else 0,
            "macs": costs[name].macs if name in costs else 0,
            "kernel": field.kernel,
            "stride": field.stride,
            "field": field.size,
            "jump": field.jump,
            "start": field.start,
            "first_center": field.first_center,
            "whole": field.whole,
            "inputs": list(field.inputs),
            **dict(zip(("rows", "cols"), field.edges(), strict=True)),
        }
        for name, field in fields.items()
    ]


def _chain(costs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stages as a chain, where the receptive fields are not known."""
    keys = ("kernel", "stride", "field", "jump", "start", "first_center", "whole", "rows", "cols")
    before = ["input", *costs]
    return [
        {**vars(layer), **dict.fromkeys(keys), "inputs": [source]}
        for source, layer in zip(before, costs.values(), strict=False)
    ]


def convolution_blocks(stages: Sequence[Mapping[str, Any]]) -> int:
    """The number of blocks of convolutions wider than 1×1; a block ends where the jump grows."""
    blocks, inside, jump = 0, False, 1
    for stage in stages:
        if stage["field"] is None or stage["whole"]:
            continue
        if stage["kind"] in CONVOLUTIONS and max(stage["kernel"]) > 1 and not inside:
            blocks, inside = blocks + 1, True
        if max(stage["jump"]) > jump:
            inside, jump = False, max(stage["jump"])
    return blocks


def dot(stages: Sequence[Mapping[str, Any]], title: str, input_size: int) -> str:
    """The graph in the DOT language of Graphviz: boxes for stages, arrows for maps."""
    lines = [
        "digraph {",
        'bgcolor="transparent" rankdir=TB nodesep=0.15 ranksep=0.18',
        'node [shape=box style="rounded,filled" color="transparent" fontcolor="white"'
        ' fontname="sans-serif" fontsize=11 margin="0.12,0.05" height=0.3]',
        f'edge [color="{OTHER}" arrowsize=0.6]',
        f"tooltip={_quoted(title)}",
        f'"input" [label={_quoted(f"image  1×{input_size}×{input_size}")} fillcolor="#1f2937"]',
    ]
    for stage in stages:
        label = f"{stage['name']}  {in_words(stage)}\n{times(stage['shape'])}"
        lines.append(
            f"{_quoted(stage['name'])} [label={_quoted(label)} fillcolor={_quoted(_fill(stage))}]"
        )
        lines += [f"{_quoted(i)} -> {_quoted(stage['name'])}" for i in stage["inputs"]]
    return "\n".join([*lines, "}"])


def in_words(stage: Mapping[str, Any]) -> str:
    """Like "Conv2d 3×3, stride 2"."""
    words = stage["kind"]
    if stage["kernel"] and max(stage["kernel"]) > 0:
        words += f" {times(stage['kernel'])}"
    if stage["stride"] and max(stage["stride"]) > 1:
        words += f", stride {max(stage['stride'])}"
    return words


def times(numbers: Sequence[float]) -> str:
    """(6, 24, 24) -> "6×24×24"."""
    return "×".join(f"{number:g}" for number in numbers)


def _fill(stage: Mapping[str, Any]) -> str:
    kind = stage["kind"]
    if "pool" in kind.lower():
        return POOL
    return JOIN if kind.rstrip("_") in JOINS else FILL.get(kind, OTHER)


def _quoted(text: str) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def describe_models(names: Iterable[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Name -> `describe` of these registered networks (default: all). Loads torch."""
    known = [model_spec(name).name for name in names or model_names()]
    return {name: describe(create_model(name), make_config(name).input_size) for name in known}


def describe_layers(layers: str, input_size: int = IMAGE_SIDE) -> list[dict[str, Any]]:
    """`describe` of a network of one's own. Raises InputError for layers that do not fit."""
    return describe_config(make_config(layers=layers, input_size=input_size))


def describe_config(config: RunConfig) -> list[dict[str, Any]]:
    """`describe` of a run's network."""
    return describe(create_model_for(config), config.input_size)


def box_of(stage: Mapping[str, Any], row: float, column: float) -> dict[str, Any]:
    """The unit of a stage at this place, from 0 to 1, and its receptive field as a box.

    `stage` is one of `describe`. The same figures as receptive_field.Field.box, without torch.
    """
    rows, cols = stage["rows"], stage["cols"]
    unit = (round(row * (len(rows) - 1)), round(column * (len(cols) - 1)))
    (top, bottom), (left, right) = rows[unit[0]], cols[unit[1]]
    empty = top == bottom or left == right
    box = (0, 0, 0, 0) if empty else (top, left, bottom, right)
    return {"unit": unit, "units": (len(rows), len(cols)), "box": box}


def growing_fields(stages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The stages whose field differs from that of the stages before, in order."""
    known = [stage for stage in stages if stage["field"] is not None]
    alike = itertools.groupby(known, key=lambda stage: (stage["field"], stage["whole"]))
    return [next(group) for _, group in alike]
