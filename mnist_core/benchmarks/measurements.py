"""The measurements of `bench`; each runs its tasks in processes of their own.

Loads without torch. Tasks that are compared alternate, so that a busy moment of the machine
affects both; medians are over the rounds.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError
from mnist_core.models import model_names
from mnist_core.paths import PROJECT, data_root

TARGET = 0.99  # test accuracy
SEEDS, STOCK_SEEDS, ROUNDS = 5, 2, 5
IMAGES = 50_000
LOOP_SECONDS, LOOP_ROUNDS = 0.4, 15
# A small network, and one with wide convolutions.
PAIRED = ("lenet5", "myvggnet")
# Computes and encodes without end, as a busy dashboard does.
BUSY = """
import json, math
while True:
    json.dumps([math.sin(x) for x in range(10_000)])
"""

Result = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Measurement:
    title: str
    measure: Callable[[Say], Result]


def run(task: str, **arguments: Any) -> Result:
    """What the task prints. Raises LabError with its last line of output when it fails."""
    return _result(task, _start(task, arguments))


def _start(task: str, arguments: Result) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mnist_core.benchmarks.tasks", task, json.dumps(arguments)],
        cwd=PROJECT,
        env=_environment(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _environment() -> dict[str, str]:
    """As in the lab's own processes, with an absolute path to the data sets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    return {**kept, "OMP_WAIT_POLICY": "PASSIVE", "MNIST_DATA": str(data_root().resolve())}


def _result(task: str, process: subprocess.Popen[str]) -> Result:
    out, errors = process.communicate()
    if process.returncode:
        last = (errors.strip().splitlines() or ["it ended"])[-1]
        raise LabError(f"bench: {task} failed: {last}")
    result: Result = json.loads(out.strip().splitlines()[-1])
    return result


def time_to_99(say: Say) -> Result:
    """CPU seconds to 99 % of MNIST's test images: the fast network, and the stock pipeline.

    The lab's accuracy is the mean over its seeds after the recipe's one epoch. The stock
    pipeline is tested after each epoch and stops at the first whose mean reaches the target. That
    takes minutes, so some of the lab's runs come before it and some after. Raises LabError when
    either misses the target.
    """
    runs = []

    def add(seeds: range) -> None:
        for seed in seeds:
            runs.append(run("fast", seed=seed))
            say(f"fast, seed {seed}: {runs[-1]['accuracy']:.2%} in {runs[-1]['cpu']:.1f} CPU-s")

    add(range(1, SEEDS // 2 + 1))
    say("the stock pipeline: several epochs, a minute or two for each")
    stock = run("example", seeds=STOCK_SEEDS, target=TARGET)
    add(range(SEEDS // 2 + 1, SEEDS + 1))
    accuracies = [one["accuracy"] for one in runs]
    if min(statistics.mean(accuracies), stock["accuracies"][-1]) < TARGET:
        raise LabError(f"bench: {TARGET:.0%} was not reached: {accuracies}, {stock['accuracies']}")
    ours = _averages(runs) | {"accuracy": statistics.mean(accuracies), "threads": 1}
    ours |= {"deviation": statistics.stdev(accuracies), "seeds": SEEDS, "epochs": 1}
    theirs = _averages(stock["runs"], statistics.mean) | {"accuracy": stock["accuracies"][-1]}
    theirs |= {"seeds": STOCK_SEEDS, "epochs": len(stock["accuracies"])}
    theirs |= {"threads": stock["threads"]}
    return {"ours": ours, "stock": theirs, "times": theirs["cpu"] / ours["cpu"]}


def lenet5(say: Say) -> Result:
    """Images a second of LeNet-5, batch 256, 32×32: the lab's loop, and the stock pipeline.

    The lab resizes the images once a run, before the clock starts; the stock pipeline does so
    in every epoch.
    """
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        theirs.append(run("lenet5_stock", images=IMAGES))
        ours.append(run("epoch", model="lenet5", images=IMAGES))
        walls = ours[-1]["wall"], theirs[-1]["wall"]
        say(f"round {number}: {walls[0]:.1f} s, the stock pipeline {walls[1]:.1f} s")
    sides = {}
    for name, runs in (("ours", ours), ("stock", theirs)):
        sides[name] = _averages(runs) | {"threads": runs[0]["threads"]}
        sides[name]["images_per_second"] = IMAGES / sides[name]["wall"]
    return {**sides, "times": _ratio(theirs, ours)}


def overhead(say: Say) -> Result:
    """The lab's loop beside a bare one and beside the native engine, for every network, with one
    thread and with two."""
    rows = []
    for name in model_names():
        for threads in (1, 2):
            arguments: Result = {"model": name, "threads": threads}
            arguments |= {"seconds": LOOP_SECONDS, "rounds": LOOP_ROUNDS}
            rows.append({"model": name, **run("loops", **arguments)})
            say(f"{name}, threads {threads}: {rows[-1]['share']:.3f} of the bare loop's speed")
            if "native" in rows[-1]:
                faster, peak = rows[-1]["faster"], rows[-1]["peak"]
                say(f"  native: {faster:.2f} times as fast, {peak:.0%} of the cores' peak")
    return {"rows": rows, "times": min(row["share"] for row in rows)}


def under_load(say: Say) -> Result:
    """LeNet-5's epoch while every core is busy with something else, against its fair share.

    With t threads of ours beside b busy processes on c cores, a fair share makes t threads
    (t + b) / c times slower.
    """
    cores, rows = os.cpu_count() or 1, []
    for threads in (1, 2):
        quiet, loaded = [], []
        for _ in range(ROUNDS):
            quiet.append(run("epoch", model="lenet5", images=IMAGES, threads=threads))
            with busy(cores):
                loaded.append(run("epoch", model="lenet5", images=IMAGES, threads=threads))
        slower = _ratio(loaded, quiet)
        fair = max(1.0, (threads + cores) / cores)
        row: Result = {"threads": threads, "busy": cores, "slower": slower, "fair": fair}
        rows.append(row | {"quiet": _averages(quiet), "loaded": _averages(loaded)})
        say(f"threads {threads}: {slower:.2f} times slower, a fair share would be {fair:.2f}")
    return {"rows": rows, "times": max(row["slower"] / row["fair"] for row in rows)}


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keeps `count` processes computing for as long as the block lasts."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def two_at_once(say: Say) -> Result:
    """An epoch of two runs: at once with a thread each, or one by one with two threads."""
    rows = []
    for model in PAIRED:
        images = IMAGES if model == PAIRED[0] else IMAGES // 5
        in_turn, at_once = [], []
        for _ in range(ROUNDS):
            both = run("epoch", model=model, images=images, threads=2, runs=2)
            in_turn.append(both["ended"] - both["began"])
            at_once.append(_together(model, images))
        times = statistics.median(a / b for a, b in zip(in_turn, at_once, strict=True))
        seconds = {"in_turn": statistics.median(in_turn), "at_once": statistics.median(at_once)}
        rows.append({"model": model, "images": images, **seconds, "times": times})
        say(f"{model}: {seconds['in_turn']:.1f} s in turn, {seconds['at_once']:.1f} s at once")
    return {"rows": rows, "times": min(row["times"] for row in rows)}


def _together(model: str, images: int) -> float:
    """Seconds from the start of two runs, of one thread each, to the end of the later."""
    arguments = {"model": model, "images": images, "threads": 1, "wait": True}
    pair = [_start("epoch", arguments) for _ in range(2)]
    for process in pair:
        assert process.stdout and process.stdin
        process.stdout.readline()  # it is ready
    for process in pair:
        print(file=process.stdin, flush=True)
    results = [_result("epoch", process) for process in pair]
    return max(r["ended"] for r in results) - min(r["began"] for r in results)


def _ratio(runs: list[Result], others: list[Result]) -> float:
    """The median over the rounds of how many times longer `runs` took in seconds of time."""
    return statistics.median(a["wall"] / b["wall"] for a, b in zip(runs, others, strict=True))


def _averages(
    runs: list[Result], average: Callable[[list[float]], float] = statistics.median
) -> Result:
    return {name: average([run[name] for run in runs]) for name in ("wall", "cpu")}


MEASUREMENTS = {
    "time-to-99": Measurement("Time to 99 % of MNIST", time_to_99),
    "lenet5": Measurement("LeNet-5 by its reference's recipe", lenet5),
    "overhead": Measurement("The loop beside a bare one", overhead),
    "under-load": Measurement("Beside a busy dashboard", under_load),
    "two-at-once": Measurement("Two runs at once", two_at_once),
}


def measured(name: str, say: Say) -> Result:
    """The measurement's result, with its date, the machine and the load before it.

    The load is the average of the last minute, or None where the system has none.
    """
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    result = MEASUREMENTS[name].measure(say)
    return {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "load": before, **result}


def machine() -> str:
    """This machine's processor and torch's version."""
    import torch

    return f"{_processor()}, {os.cpu_count()} cores, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
