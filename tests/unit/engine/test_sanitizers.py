"""The kernels touch no memory that is not theirs, and do nothing undefined."""

import os
import subprocess
from pathlib import Path

import pytest
from torch import nn

from mnist_core.engine.compiler import KERNELS, find_compiler
from mnist_core.engine.source import generate

DRIVER = Path(__file__).with_name("driver.c")
CHECKS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def everything() -> nn.Module:
    """A small network that uses every kernel."""
    return nn.Sequential(
        *(nn.Conv2d(1, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.BatchNorm2d(5)),
        *(nn.LeakyReLU(), nn.Dropout(0.2), nn.Conv2d(5, 9, (2, 4), (1, 2), (0, 1)), nn.PReLU(9)),
        *(nn.Conv2d(9, 4, 1, bias=False), nn.RReLU(), nn.AvgPool2d(2, 1, 1), nn.ELU()),
        *(nn.MaxPool2d(2), nn.SELU(), nn.Flatten(), nn.Linear(12, 18), nn.BatchNorm1d(18)),
        *(nn.Tanh(), nn.Dropout(0.5), nn.Linear(18, 3)),
    )


def test_the_kernels_are_clean(tmp_path):
    compiler = find_compiler()
    unit, program = tmp_path / "network.c", tmp_path / "driver"
    unit.write_text(generate(everything(), (1, 11, 9), compiler.registers).text)
    options = ["-std=gnu11", "-march=native", f'-DNETWORK="{unit}"', f"-I{KERNELS}"]
    command = [*compiler.command, *CHECKS, *options, str(DRIVER), "-o", str(program)]
    made = subprocess.run([*command, "-lm", "-pthread"], capture_output=True, text=True)
    if made.returncode and "sanitize" in made.stderr + made.stdout:
        pytest.skip("this compiler has no sanitizers")
    assert made.returncode == 0, made.stderr
    done = subprocess.run([program], capture_output=True, text=True, env=os.environ, timeout=300)
    assert done.returncode == 0, done.stderr
