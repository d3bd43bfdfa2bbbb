"""The stages of a network in the order of computation: one walk, which all of inspection uses.

Networks are shared between visitors. A walk leaves nothing on one: no hook, no gradient, no mode.
"""

import copy
import itertools
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from mnist_core.errors import InputError, LabError

INPUT = "input"  # the name of the image among the stages
INACTIVE = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity")


class UnsupportedOperation(LabError, ValueError):
    """The network cannot be traced, or holds something whose receptive field is not known."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One call of a module, a function or a method.

    `name` is the module's qualified name ("features.conv1"; "act#2" at its second call), or for
    a function the name of its node in the graph ("add_1"). `kind` names what is called: the class
    of the module, or the function. `inputs` are the stages whose values it reads, INPUT for the
    image, in the order of its arguments; one that it reads twice comes twice.

    With an image: `value` is the output, with the batch, and `args` and `kwargs` are the
    arguments. Without one they are None and empty.
    """

    name: str
    kind: str
    module: nn.Module | None
    inputs: tuple[str, ...]
    value: Any = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inactive(self) -> bool:
        """Whether it changes nothing in evaluation mode."""
        return self.module is not None and self.kind in INACTIVE


def walk(
    model: nn.Module, image: torch.Tensor | None = None, *, inside_blocks: bool = False
) -> list[Stage]:
    """Every stage that depends on the image and yields tensors, in evaluation mode.

    `image`: (N, channels, S, S) network input; if it requires gradients, the values lead back to
    it. A chain's stages are its children, whatever they hold; with `inside_blocks` those of the
    network's torch.fx graph, as for every network that is no chain. Each value is kept as it was
    computed, also where a later stage works in place.
    Raises UnsupportedOperation for what torch.fx cannot trace, InputError if the network cannot
    take the image.
    """
    # nn.Sequential's own forward runs the children one after the other and does nothing else.
    sequential = isinstance(model, nn.Sequential) and type(model).forward is nn.Sequential.forward
    chain = sequential and not inside_blocks
    if not chain or any(module.training for module in model.modules()):
        model = copy.deepcopy(model).eval()  # tracing touches what another thread may be using
    graph = _chain_graph(model) if chain else _traced_graph(model)
    if image is None:
        return list(_stages(model, graph, None))
    recorder = _Recorder(model, graph)
    with trial(model, image):
        recorder.run(image)
    return list(_stages(model, graph, recorder.values))


def blank_image(model: nn.Module, input_size: int) -> torch.Tensor:
    """Zeros (1, 1, input_size, input_size), on the model's device and in its precision."""
    floats = (p for p in model.parameters() if p.is_floating_point())
    like = next(floats, torch.zeros(()))
    return torch.zeros(1, 1, input_size, input_size, dtype=like.dtype, device=like.device)


@contextmanager
def trial(model: nn.Module, image: torch.Tensor) -> Iterator[None]:
    """Around a forward pass: an InputError if the network cannot take the image.

    Gradients are recorded if the image requires them. The random numbers are a private fork, as
    F.dropout may draw from them in evaluation mode too.
    """
    try:
        with torch.set_grad_enabled(image.requires_grad), torch.random.fork_rng(devices=[]):
            yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        size = "×".join(map(str, image.shape[1:]))
        message = f"{type(model).__name__} cannot take an image of {size}: {first_line(error)}"
        raise InputError(message) from error


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def module_of(model: nn.Module, stage: str) -> nn.Module | None:
    """The module that the stage of this name calls, None for a function and for the image."""
    try:
        return model.get_submodule(stage.split("#")[0])
    except AttributeError:
        return None


def free_name(name: str, taken: Container[str]) -> str:
    """`name`, or where it is taken "name#2", "name#3" and so on."""
    numbered = (f"{name}#{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)


def class_name(module: nn.Module) -> str:
    """The module's class; one whose weights are parametrised (torch.nn.utils) keeps its own."""
    return type(module).__name__.removeprefix("Parametrized")


def _stages(
    model: nn.Module, graph: fx.Graph, values: Mapping[fx.Node, Any] | None
) -> Iterator[Stage]:
    names: set[str] = {INPUT}
    sources: dict[fx.Node, tuple[str, ...]] = {}  # the stages that a node's value comes from
    for node in graph.nodes:
        value = values[node] if values else None
        if node.op == "placeholder":
            if values is None or isinstance(value, torch.Tensor):
                sources[node] = (INPUT,)
            continue
        inputs = tuple(name for each in _arguments(node) for name in sources.get(each, ()))
        if not node.op.startswith("call_") or not inputs or not (values is None or _holds(value)):
            continue
        module = model.get_submodule(str(node.target)) if node.op == "call_module" else None
        name = free_name(node.name if module is None else str(node.target), names)
        kind = _function_name(node) if module is None else class_name(module)
        given = (node.args, node.kwargs)
        args, kwargs = fx.node.map_arg(given, values.__getitem__) if values else ((), {})
        yield Stage(name, kind, module, inputs, value, args, kwargs)
        if isinstance(value, tuple | list):
            sources[node] = inputs
            continue
        names.add(name)
        sources[node] = (name,)
        if kind.endswith("_") and node.args and isinstance(node.args[0], fx.Node):
            sources[node.args[0]] = (name,)  # x.add_(y) changes what later uses of x see


def _function_name(node: fx.Node) -> str:
    """Like "relu"; of a function that is not torch's with its package before it."""
    if isinstance(node.target, str):
        return node.target
    home = (getattr(node.target, "__module__", None) or "torch").split(".")[0]
    name = getattr(node.target, "__name__", str(node.target))
    return name if home in ("torch", "_operator") else f"{home}.{name}"


def _arguments(node: fx.Node) -> list[fx.Node]:
    """The nodes among the arguments, one that is given twice also twice."""
    nodes: list[fx.Node] = []
    fx.node.map_arg((node.args, node.kwargs), nodes.append)
    return nodes


def _holds(value: Any) -> bool:
    """False for x.size(0), x.shape and the like: numbers about a map, not a map."""
    items = value if isinstance(value, tuple | list) else (value,)
    return any(isinstance(item, torch.Tensor) for item in items)


def _chain_graph(model: nn.Module) -> fx.Graph:
    """The graph of a chain, each child a stage; nothing needs to be traced for it."""
    graph = fx.Graph()
    node = graph.placeholder("image")
    for name in model._modules:  # named_children leaves repeated ones out
        node = graph.call_module(name, (node,))
    graph.output(node)
    return graph


def _traced_graph(model: nn.Module) -> fx.Graph:
    try:
        return _Tracer().trace(model)
    except Exception as error:  # tracing runs the network's own code: anything can come out
        raise UnsupportedOperation(
            f"{type(model).__name__} cannot be traced by torch.fx ({first_line(error)}): "
            "write its forward without branching on the values or shapes of tensors"
        ) from error


class _Tracer(fx.Tracer):
    """torch.fx traces by patching nn.Module for all threads: let the others' calls through."""

    patching = threading.Lock()

    def trace(self, root: nn.Module | Callable, concrete_args: dict | None = None) -> fx.Graph:
        with self.patching:
            self.thread = threading.get_ident()
            return super().trace(root, concrete_args)

    def call_module(self, m: nn.Module, forward: Any, args: tuple, kwargs: dict) -> Any:
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps every value."""

    def __init__(self, model: nn.Module, graph: fx.Graph) -> None:
        super().__init__(model, graph=graph)
        self.extra_traceback = False
        self.values: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        """A later stage may work in place, so one of the two is a copy.

        With gradients the later stages get it: the value that is kept has to lie on their way.
        """
        self.values[n] = value = super().run_node(n)
        if isinstance(value, torch.Tensor) and value.requires_grad:
            return value.clone()
        if isinstance(value, torch.Tensor):
            self.values[n] = value.clone()
        return value

    def call_module(self, target: Any, args: tuple, kwargs: dict) -> Any:
        # The inherited one does not find a module under its second name in a chain.
        return self.module.get_submodule(target)(*args, **kwargs)
