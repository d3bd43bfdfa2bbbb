"""What each operation does to receptive fields; `receptive_field` walks a network with it.

To support an operation, add its name (a module's class, a function or a method) to POINTWISE,
or a function to WINDOWS (a window slides over the map) or RULES (anything else); and add the
operation to the random networks of tests/unit/inspection/random_networks.py. Names are in lower
case without underscores, so that a layer and its function share one: LogSoftmax, log_softmax.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mnist_core.inspection.field_grid import Grid, Pair
from mnist_core.inspection.stages import Stage, UnsupportedOperation


@dataclass(frozen=True)
class Window:
    """A window that slides over a map; every pair is (vertical, horizontal)."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)

    def reads(self, axis: int, unit: int) -> range:
        """The places that a unit reads along an axis; some may lie in padding."""
        first, step = unit * self.stride[axis] - self.padding[axis], self.dilation[axis]
        return range(first, first + step * self.kernel[axis], step)


@dataclass(frozen=True)
class Call:
    """A stage, walked with an image, and the grids of the maps that it reads."""

    stage: Stage
    grids: tuple[Grid, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output, with the batch; empty where there are several outputs."""
        return tuple(getattr(self.stage.value, "shape", ()))

    def option(self, name: str, position: int, default: Any = None) -> Any:
        """A setting: the module's attribute, or the function's argument (its input is 0)."""
        module, args = self.stage.module, self.stage.args
        if module is not None:
            return getattr(module, name, default)
        positional = args[position] if position < len(args) else default
        return self.stage.kwargs.get(name, positional)

    def union(self) -> Grid:
        """One position in, the same position out, of every map."""
        return functools.reduce(operator.or_, self.grids)

    def only_map(self) -> Grid:
        if len(self.grids) != 1:
            raise self.unsupported("with several maps as its input")
        return self.grids[0]

    def sizes(self) -> list[Pair]:
        """For each axis: the units of the map that goes in, and of the one that comes out."""
        if len(self.shape) != 4 or 0 in self.shape:
            raise self.unsupported(f"with an output of shape {self.shape[1:]}")
        return list(zip(self.only_map().extent, self.shape[2:], strict=True))

    def unknown(self) -> Grid:
        raise self.unsupported()

    def unsupported(self, detail: str = "here") -> UnsupportedOperation:
        return UnsupportedOperation(
            f"the receptive field of {self.stage.kind} (stage {self.stage.name}) {detail} is not "
            "known: use another layer, or add a rule for it to mnist_core/inspection/field_rules.py"
        )


def apply(call: Call) -> tuple[Grid, Window | None]:
    """The fields of the call's output, and the window it slides, if it is one that does.

    Raises UnsupportedOperation if no rule fits: better no figure than a wrong one.
    """
    kind = call.stage.kind.replace("_", "").lower()
    if kind in WINDOWS:
        window = WINDOWS[kind](call)
        return _fit(_slide(call, window), call), window
    try:
        return _fit(RULES.get(kind, Call.unknown)(call), call), None
    except UnsupportedOperation:
        if not all(grid.whole for grid in call.grids):
            raise
    whole = Call(call.stage, tuple(grid.everything() for grid in call.grids))
    return _fit(whole.union(), call), None


def _fit(grid: Grid, call: Call) -> Grid:
    """The grid as large as the output, which may be flat if the grid is whole."""
    if len(call.shape) == 4:
        return grid.fit(*call.shape[2:])
    if not grid.whole:
        raise call.unsupported(f"with an output of shape {call.shape[1:]}")
    return grid.everything()


def _pair(value: int | Sequence[int]) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[-1]))


def convolution(call: Call) -> Window:
    """The window of a convolution. Raises UnsupportedOperation for padding other than zeros."""
    mode = call.option("padding_mode", 99, "zeros")
    if mode != "zeros":
        raise call.unsupported(f"with {mode} padding")
    kernel = _pair(call.option("weight", 1).shape[2:])
    dilation = _pair(call.option("dilation", 5, 1))
    padding = call.option("padding", 4, 0)
    if padding == "same":  # an odd total goes to the bottom and right
        padding = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
    padding = (0, 0) if padding == "valid" else _pair(padding)
    return Window(kernel, _pair(call.option("stride", 3, 1)), padding, dilation)


def _pool(call: Call) -> Window:
    kernel = call.option("kernel_size", 1)
    stride = call.option("stride", 2) or kernel
    # Average pooling has no dilation: its function takes something else in that place.
    dilation = call.option("dilation", 4, 1) if "max" in call.stage.kind.lower() else 1
    return Window(*map(_pair, (kernel, stride, call.option("padding", 3, 0), dilation)))


def _slide(call: Call, window: Window) -> Grid:
    sizes = call.sizes()
    taps = [[window.reads(axis, at) for at in range(m)] for axis, (_, m) in enumerate(sizes)]
    reads_all = all(set(range(n)) <= set(t[0]) for t, (n, _) in zip(taps, sizes, strict=True))
    if reads_all and call.shape[2:] == (1, 1) and "pool" in call.stage.kind.lower():
        return call.only_map().everything()  # global pooling, as a pool as large as the map
    return call.only_map().slide(taps, window.stride)


def _adaptive_pool(call: Call) -> Grid:
    if call.shape[2:] == (1, 1):
        return call.only_map().everything()
    return _resample(call)


def _resample(call: Call) -> Grid:
    """Of m units along an axis, each reads all of the n units that its m-th part overlaps."""
    sizes = call.sizes()
    taps = [[range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in sizes]
    return call.only_map().slide(taps, [Fraction(n, m) for n, m in sizes])


def _nearest(call: Call) -> Grid:
    scale = call.option("scale_factor", 2) or 1
    scales = scale if isinstance(scale, tuple | list) else (scale,)
    even = all(m % n == 0 for n, m in call.sizes()) and all(float(s).is_integer() for s in scales)
    if call.option("mode", 3, "nearest") != "nearest" or not even:
        raise call.unsupported("other than to the nearest, by a whole factor,")
    return _resample(call)


def _pad(call: Call) -> Grid:
    name = "padding" if call.stage.module else "pad"
    padding: Sequence[int] = call.option(name, 1) or ()
    if len(padding) not in (2, 4) or call.option("mode", 2, "constant") != "constant":
        raise call.unsupported("other than with a constant around rows and columns")
    before = (padding[2] if len(padding) == 4 else 0, padding[0])
    sizes = zip(before, call.sizes(), strict=True)
    taps = [[range(unit - skip, unit - skip + 1) for unit in range(n)] for skip, (_, n) in sizes]
    return call.only_map().slide(taps, (1, 1))


def _batch_norm(call: Call) -> Grid:
    if call.stage.module is None or call.stage.module.running_mean is None:
        raise call.unsupported("without running statistics")
    return call.only_map()


def _over_channels(call: Call) -> Grid:
    """Softmax and concatenation: between channels, each position by itself."""
    dim = call.option("dim", 1, call.stage.kwargs.get("axis"))
    if dim not in (1, -3):
        raise call.unsupported(f"over dimension {dim}")
    return call.union()


def _reduce(call: Call) -> Grid:
    """mean and similar: over rows and columns it takes in the whole map."""
    dim = call.option("dim", 1, call.stage.kwargs.get("axis"))
    listed = (dim,) if isinstance(dim, int) else dim
    dims = {2, 3} if listed is None else {d % 4 for d in listed}
    if {2, 3} <= dims:
        return call.only_map().everything()
    if dims != {1}:
        raise call.unsupported(f"over dimension {dim}")
    return call.only_map()


def _reshape(call: Call) -> Grid:
    """flatten and similar: the whole map is taken in where rows and columns become one."""
    grid = call.only_map()
    rows, cols = grid.extent
    if len(call.shape) == 4 and call.shape[2:] == grid.extent:
        return grid
    if len(call.shape) < 4 and call.shape[-1] % (rows * cols) == 0:
        return grid.everything()
    raise call.unsupported(f"from {rows}×{cols} units to the shape {call.shape[1:]}")


WINDOWS: dict[str, Callable[[Call], Window]] = {
    "conv2d": convolution,
    **dict.fromkeys(["avgpool2d", "maxpool2d"], _pool),
}

# One position in, the same position out; of several maps, the union.
POINTWISE = """
    identity dropout dropout2d alphadropout featurealphadropout relu relu6 leakyrelu prelu rrelu
    elu celu selu gelu silu mish hardswish hardsigmoid hardtanh sigmoid logsigmoid tanh softplus
    softsign tanhshrink softshrink hardshrink softmax2d localresponsenorm
    add sub mul div truediv neg abs exp log sqrt square pow clamp maximum minimum
    clone contiguous float double
"""

RULES: dict[str, Callable[[Call], Grid]] = {
    **dict.fromkeys(POINTWISE.split(), Call.union),
    "batchnorm2d": _batch_norm,
    "to": Call.only_map,
    **dict.fromkeys(["adaptiveavgpool2d", "adaptivemaxpool2d"], _adaptive_pool),
    **dict.fromkeys(["upsample", "upsamplingnearest2d", "interpolate"], _nearest),
    **dict.fromkeys(["zeropad2d", "constantpad2d", "pad"], _pad),
    **dict.fromkeys(["softmax", "logsoftmax", "cat", "concat", "concatenate"], _over_channels),
    **dict.fromkeys(["mean", "sum", "amax", "amin"], _reduce),
    **dict.fromkeys(["flatten", "view", "reshape", "squeeze"], _reshape),
}
