"""The config's optimiser, and its learning rate over time."""

import inspect
import math
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from mnist_core.config import RunConfig
from mnist_core.errors import InputError

STEP = "step"  # the one entry of an optimiser's state that is a single number
RATES = {"lr", "initial_lr", "max_lr", "min_lr"}  # settings that a schedule changes or adds


def _leave_dynamo_out() -> None:
    """Keeps torch's optimisers from loading torch._dynamo, which takes a second or more.

    The first call of any of these methods would load it, to mark the method as one that it must
    not compile. Nothing is compiled here. Where torch does not keep its mark there any more,
    nothing changes.
    """
    for name in ("add_param_group", "load_state_dict", "state_dict", "zero_grad"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method and not hasattr(method, "__dynamo_disable"):
            method.__dynamo_disable = method


_leave_dynamo_out()


def take_plain_step(optimizer: torch.optim.Optimizer) -> None:
    """The same as `optimizer.step()`, bit for bit, without what torch wraps around it.

    That loads torch._dynamo, too, for the sake of those who compile their steps; hooks, which
    nobody sets here, are left out with it.
    """
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)
    vars(optimizer)["_opt_called"] = True  # schedulers warn where no step came before theirs


def make_optimizer(config: RunConfig, model: nn.Module, device: str) -> torch.optim.Optimizer:
    """The config's optimiser; fused into one kernel where torch has one for this device."""
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    fused: dict[str, Any] = {"fused": device in ("cpu", "cuda")}
    parameters = model.parameters()
    match config.optimizer:
        case "SGD":
            return torch.optim.SGD(parameters, momentum=config.momentum, **common, **fused)
        case "RMSprop":
            return torch.optim.RMSprop(parameters, momentum=config.momentum, **common)
        case "Adam":
            return torch.optim.Adam(parameters, **common, **fused)
        case "AdamW":
            return torch.optim.AdamW(parameters, **common, **fused)
        case "Adadelta":
            return torch.optim.Adadelta(parameters, **common)
    raise InputError(f"optimizer: {config.optimizer!r} is not known")


def make_scheduler(
    config: RunConfig, optimizer: torch.optim.Optimizer, steps: int
) -> lr_scheduler.LRScheduler:
    """The config's schedule, for epochs of so many steps."""
    match config.schedule:
        case "constant":
            return lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        case "step":
            return lr_scheduler.StepLR(optimizer, config.step_size, config.gamma)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, config.epochs, config.min_lr)
        case "one-cycle":
            # the momentum is the config's: cycling it too would hide what was asked for
            return lr_scheduler.OneCycleLR(
                optimizer, config.lr, config.epochs * steps, cycle_momentum=False
            )
        case "plateau" if config.gamma == 1:  # which torch refuses: a cut that cuts nothing
            return lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        case "plateau":
            return lr_scheduler.ReduceLROnPlateau(
                optimizer, "max", config.gamma, config.patience, min_lr=config.min_lr
            )
    raise InputError(f"schedule: {config.schedule!r} is not known")


class Schedule:
    """The learning rate over time: it changes after each step for one-cycle, else each epoch.

    While it warms up, single steps are taken at a part of it, which rises evenly (see
    P. Goyal et al.: Accurate, large minibatch SGD. 2017, arXiv:1706.02677).
    """

    def __init__(self, config: RunConfig, optimizer: torch.optim.Optimizer, steps: int) -> None:
        self.per_step = config.schedule == "one-cycle"
        self.warmup = 0 if self.per_step else round(config.warmup * steps)  # steps
        self.optimizer = optimizer
        self.scheduler = make_scheduler(config, optimizer, steps)

    def warm(self, done: int) -> float:
        """The part of the learning rate that the step after `done` steps is taken at."""
        return min(1.0, (done + 1) / (self.warmup + 1))

    def lr(self, done: int) -> float:
        """The learning rate of the step after `done` steps."""
        return float(self.optimizer.param_groups[0]["lr"]) * self.warm(done)

    def take_step(self, done: int) -> None:
        """Has the optimiser take the step after `done` steps."""
        groups, part = self.optimizer.param_groups, self.warm(done)
        rates = [group["lr"] for group in groups]
        if part < 1:
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate * part
        take_plain_step(self.optimizer)
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        self.after_step()

    def after_step(self) -> None:
        if self.per_step:
            self.scheduler.step()

    def after_epoch(self, validation_accuracy: float) -> None:
        if isinstance(self.scheduler, lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(validation_accuracy)
        elif not self.per_step:
            self.scheduler.step()


def load_optimizer_state(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Puts a saved state into the optimiser, in the memory layout of its parameters.

    torch's fused kernels walk through memory and trust what they are given; a saved tensor may be
    laid out differently, or be a view of a single number. Raises like check_optimizer_state.
    """
    state = _completed(optimizer, state)
    check_optimizer_state(optimizer, state)
    optimizer.load_state_dict(state)
    for parameter, entry in optimizer.state.items():
        for name, value in entry.items():
            if isinstance(value, torch.Tensor) and name != STEP:
                entry[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)


def _completed(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """The state with the settings that this torch has and the one that saved it had not yet, at
    their defaults, and without those that this torch does not know."""
    ours = optimizer.state_dict()["param_groups"]
    groups = [
        {name: saved.get(name, value) for name, value in group.items()}
        | {name: saved[name] for name in RATES & saved.keys()}
        for group, saved in zip(ours, state["param_groups"], strict=True)
    ]
    return {**state, "param_groups": groups}


def check_optimizer_state(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Raises ValueError unless `state` is one that this optimiser could have saved.

    It must have the same groups and settings (except the learning rate) and, for every parameter,
    entries of its shape; none at all for an optimiser that keeps nothing.
    """
    ours = optimizer.state_dict()["param_groups"]
    for group, saved in zip(ours, state["param_groups"], strict=True):
        same = {k: v for k, v in group.items() if k not in RATES}
        if any(saved[name] != value for name, value in same.items()):
            raise ValueError("the optimiser has other settings")
        if not all(0 <= float(saved[name]) < math.inf for name in RATES & saved.keys()):
            raise ValueError("the learning rate is not a number")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    entries = state["state"]
    if set(entries) not in (set(), set(range(len(parameters)))):
        raise ValueError("the optimiser's state belongs to other parameters")
    if not entries and keeps_state(optimizer):
        raise ValueError("the optimiser's state is missing")
    for number, entry in entries.items():
        for name, value in entry.items():
            if name == STEP:
                if not math.isfinite(float(value)):
                    raise ValueError("the optimiser's state is not a number")
            elif value is not None and not _is_like(value, parameters[number]):
                raise ValueError("the optimiser's state has another shape")


def _is_like(value: Any, parameter: torch.Tensor) -> bool:
    """Whether it is a tensor of numbers, one for each of the parameter's."""
    right = isinstance(value, torch.Tensor) and value.dtype == torch.float32
    return right and value.shape == parameter.shape


def keeps_state(optimizer: torch.optim.Optimizer) -> bool:
    """Whether it keeps anything from one step to the next; plain SGD does not."""
    return not isinstance(optimizer, torch.optim.SGD) or optimizer.defaults["momentum"] > 0
