"""A run in progress: how much of it is done, and what it is at."""

from typing import Any

from mnist_core.formatting import duration
from mnist_core.runs.run import Run


def in_progress(run: Run, progress: dict[str, Any]) -> tuple[float, str]:
    """How much of the run is done, and what it is at."""
    if run.unresponsive:
        return 0.0, f"its process has not responded for {duration(run.heartbeat_age)}"
    phase = progress.get("phase", "starting")
    if phase != "training":
        return 0.0, f"{preparing(phase, progress)} …"
    inside = progress["step"] / progress["steps"]
    epochs = progress.get("epochs", run.config.epochs)
    done = (progress["epoch"] - 1 + inside) / epochs
    unit = "part" if run.config.tuning else "epoch"  # of a fine-tuned run, see jobs.tuning_work
    words = (
        f"{unit} {progress['epoch']} of {epochs}"
        f" · {progress['images_per_second']:,.0f} images/s"
        f" · {duration(progress['seconds_left'])} left"
    )
    return min(max(done, 0.0), 1.0), words


def preparing(phase: str, progress: dict[str, Any]) -> str:
    """What a process does before or after training, or what it waits for."""
    if phase == "downloading" and progress.get("bytes"):
        return f"downloading ({progress['bytes'] / 1e6:.0f} MB)"
    if phase == "waiting" and progress.get("ahead"):
        ahead = "1 run" if progress["ahead"] == 1 else f"{progress['ahead']} runs"
        return f"waiting for {ahead} ahead of it"
    if phase == "waiting":
        return "waiting for another run to finish"
    return "evaluating on the test images" if phase == "testing" else phase
