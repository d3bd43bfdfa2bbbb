"""The stages of a network in the order of computation: one walk, which all of inspection uses.

Networks are shared between visitors. A walk leaves nothing on one: no hook, no gradient, no mode.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from mnist_core.errors import LabError
from mnist_core.inspection.probe import first_line, trial

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
    chain = is_chain(model) and not inside_blocks
    if not chain or any(module.training for module in model.modules()):
        model = copy.deepcopy(model).eval()  # tracing touches what another thread may be using
    graph = _chain_graph(model) if chain else _traced_graph(model)
    if image is None:
        return list(_stages(model, graph, None))
    recorder = _Recorder(model, graph)
    with trial(model, image):
        recorder.run(image)
    return list(_stages(model, graph, recorder.values))


def is_chain(model: nn.Module) -> bool:
    """Whether the network runs its children one after the other and does nothing else."""
    return isinstance(model, nn.Sequential) and type(model).forward is nn.Sequential.forward


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
        stage = _stage(model, node, free_name(_name(node), names), inputs, values)
        yield stage
        if isinstance(value, tuple | list):
            sources[node] = inputs
            continue
        names.add(stage.name)
        sources[node] = (stage.name,)
        if stage.kind.endswith("_") and node.args and isinstance(node.args[0], fx.Node):
            sources[node.args[0]] = (stage.name,)  # x.add_(y) changes what later uses of x see


def _stage(
    model: nn.Module,
    node: fx.Node,
    name: str,
    inputs: tuple[str, ...],
    values: Mapping[fx.Node, Any] | None,
) -> Stage:
    module = model.get_submodule(str(node.target)) if node.op == "call_module" else None
    kind = class_name(module) if module is not None else _function_name(node)
    if values is None:
        return Stage(name, kind, module, inputs)
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
    return Stage(name, kind, module, inputs, values[node], args, kwargs)


def _name(node: fx.Node) -> str:
    return str(node.target) if node.op == "call_module" else node.name


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
