"""The speed bench: its tasks on small data, what it keeps, and the tables it tells."""

import json
import os
import time
from pathlib import Path

import psutil
import pytest

from mnist_core.benchmarks import measurements, report, tasks
from mnist_core.benchmarks.clock import clock
from mnist_core.errors import LabError
from mnist_core.runs.store import RunStore

SHIPPED = Path(__file__).parents[3] / "checkpoints"


def test_the_clock_counts_work_as_cpu_and_sleep_as_wall_alone():
    with clock() as spent:
        time.sleep(0.2)
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert 0.2 <= spent.cpu < spent.wall and spent.wall >= 0.4


def test_the_fast_network_is_timed_on_all_images_and_tested(lab):
    one = tasks.fast(seed=1)
    assert one["cpu"] > 0 and one["wall"] > 0 and 0 <= one["accuracy"] <= 1
    few = tasks._first(tasks.load("MNIST"), tasks.ALL)
    assert len(few.train) == 240 and not len(few.validation) and len(few.test) == 60


def test_the_stock_pipeline_stops_as_soon_as_it_is_there(lab):
    found = tasks.example(seeds=2, target=0.0)
    assert len(found["accuracies"]) == 1 and len(found["runs"]) == 2
    assert all(run["cpu"] > 0 for run in found["runs"])
    never = tasks.example(seeds=1, target=1.1, images=32)
    assert len(never["accuracies"]) == 14  # all of its epochs


def test_both_pipelines_train_lenet5_on_the_same_pictures(lab):
    """The stock transforms give the tensors that the lab's own preparation gives."""
    import torch
    from torchvision import transforms

    from mnist_core.benchmarks.stock import _pictures
    from mnist_core.data.transforms import to_input
    from mnist_core.models import make_config
    from mnist_core.paths import data_root

    steps = transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))
    pictures = _pictures(data_root(), 20, *steps)
    whole = tasks._first(tasks.load("MNIST"), tasks.ALL).train
    ours = to_input(whole.images, make_config("pytorch-example"))
    theirs = torch.stack([image for image, _ in pictures])
    # the lab's order is that of the split, so each picture is looked for
    assert all(any(torch.allclose(one, x, atol=1e-5) for x in ours) for one in theirs)
    assert tasks.lenet5_stock(images=64)["wall"] > 0
    for engine in ("torch", "native"):
        found = tasks.epoch("lenet5", images=64, threads=1, engine=engine)
        assert (found["threads"], found["engine"]) == (1, engine)


def test_loops_are_compared_in_turns(lab):
    found = tasks.loops("fast", threads=1, seconds=0.01, rounds=3)
    torch_only = {"engine", "bare", "plain", "share", "threads"}
    assert set(found) == torch_only | {"native", "faster", "peak"}
    assert all(value > 0 for value in found.values()) and found["threads"] == 1
    assert tasks._ratio([1, 4, 9], [2, 2, 3]) == 2  # round by round: a busy one counts once


def test_tasks_run_in_processes_that_wait_asleep_begin_together_and_say_why_they_fail(
    lab, monkeypatch
):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    environment = measurements._environment()
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert measurements._together("lenet5", 64) > 0
    with pytest.raises(LabError, match="bench: epoch failed: .*'never'"):
        measurements.run("epoch", model="never", images=32)


def test_busy_processes_work_and_are_gone_afterwards():
    me = psutil.Process()
    before = set(me.children())
    with measurements.busy(2):
        busy = set(me.children()) - before
        assert len(busy) == 2
    assert not (set(me.children()) & busy)


SIDE = {"wall": 2.0, "cpu": 3.0, "threads": 1, "accuracy": 0.9912, "seeds": 5, "epochs": 1}
STOCK = {"wall": 90.0, "cpu": 240.0, "threads": 2, "accuracy": 0.9903, "seeds": 2, "epochs": 4}
ABOUT = {"date": "2026-11-20", "machine": "a machine", "load": 0.25}
RESULTS = {
    "time-to-99": {"ours": SIDE | {"deviation": 0.0004}, "stock": STOCK, "times": 80.0, **ABOUT},
    "lenet5": {
        "ours": SIDE | {"images_per_second": 9000.4},
        "stock": STOCK | {"images_per_second": 1500.0},
        "times": 6.02,
        **ABOUT,
    },
    "under-load": {
        "rows": [{"threads": 2, "busy": 2, "slower": 2.2, "fair": 2.0}],
        "times": 1.1,
        **ABOUT,
    },
    "two-at-once": {
        "rows": [{"model": "lenet5", "images": 500, "in_turn": 3, "at_once": 2, "times": 1.5}],
        "times": 1.5,
        **ABOUT,
    },
    "overhead": {
        "rows": [
            {"model": "lenet5", "plain": 200, "bare": 150, "engine": 155, "share": 0.97}
            | {"threads": 1}
        ],
        "times": 0.97,
        **ABOUT,
    },
}


def test_results_are_kept_one_by_one_and_told(store):
    assert report.kept(store) == {}
    for name, result in RESULTS.items():
        report.keep(store, name, result)
    assert report.kept(store) == RESULTS
    told = report.markdown(report.kept(store))
    assert "| 240 (4 epochs, 99.03 %, 2 seeds) | 3.0 (1 epoch, 99.12 ± 0.04 %, 5 seeds)" in told
    assert "| 1,500 | 9,000 | 6.0 times as many | 2; 1 | 0.2 |" in told
    assert "| 2.00 is a fair share | 2.20 | 1.10 of it |" in told
    assert "| LeNet-5 | 1 | 200 | 150 | 155 | 0.970 |" in told
    assert told.endswith("Measured on a machine; 2026-11-20.")
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {5, 7}


def test_the_native_engine_is_shown_where_it_was_measured():
    (row,) = RESULTS["overhead"]["rows"]
    native = row | {"native": 32.1, "faster": 4.83, "peak": 0.614}
    overhead = RESULTS["overhead"] | {"rows": [native, row | {"model": "mynetv1"}]}
    told = report.markdown({"overhead": overhead})
    assert "| LeNet-5 | 1 | 200 | 150 | 155 | 0.970 | 32 | 4.8 | 61 % |" in told
    assert "| 0.970 | – | – | – |" in told


def test_goals_are_told_only_where_they_were_measured():
    (one,) = RESULTS["overhead"]["rows"]
    rows = [
        one | {"native": 40.0, "faster": 3.9, "peak": 0.5},
        one | {"threads": 2, "native": 20.0, "faster": 5.0, "peak": 0.5},
        one | {"model": "medium", "native": 30.0, "faster": 2.04, "peak": 0.5},
    ]
    told = report.markdown(RESULTS | {"overhead": RESULTS["overhead"] | {"rows": rows}})
    assert "| LeNet-5, one thread: times as fast as with torch's layers | 4 | 3.9 | no |" in told
    assert "| … times faster again with a second core | 1.7 | 2 | yes |" in told
    assert "| Medium, one thread: times as fast as with torch's layers | 2 | 2.04 | yes |" in told
    assert "| the network that gains least, one or two threads | 1 | 2.04 | yes |" in told
    assert "UltraSmall, one thread" not in told
    assert "| goal |" not in report.markdown({"two-at-once": RESULTS["two-at-once"]})


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "x", "results": {}}', "null"])
def test_a_damaged_file_is_one_sentence(store, content):
    store.root.mkdir(parents=True, exist_ok=True)
    report.path(store).write_text(content)
    with pytest.raises(LabError, match=r"bench\.json is damaged .* delete it"):
        report.kept(store)


def test_the_readme_tells_what_ships():
    readme = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    begin, end = (
        "<!-- speed: made by `python -m mnist_core bench table` -->",
        "<!-- end of speed -->",
    )
    told = readme.split(begin)[1].split(end)[0].strip()
    results = report.kept(RunStore(SHIPPED))
    assert set(results) == set(measurements.MEASUREMENTS)
    assert told == report.markdown(results)


def test_the_command_measures_what_is_asked_for(lab, monkeypatch, capsys):
    from mnist_core.cli.main import main

    made = measurements.Measurement("made up", lambda say: RESULTS["lenet5"])
    monkeypatch.setitem(measurements.MEASUREMENTS, "lenet5", made)
    assert main(["bench", "--only", "lenet5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["lenet5"] and found["lenet5"]["times"] == 6.02
    assert main(["bench", "table"]) == 0
    assert "6.0 times as many" in capsys.readouterr().out
    assert main(["bench", "--only", "nothing"]) == 2
    error = capsys.readouterr().err
    assert "only: 'nothing' was given; allowed is one of time-to-99" in error
    assert not os.path.exists(lab.root / "nothing")
