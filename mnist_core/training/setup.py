"""Sets torch up for training: device, threads, and the reuse of freed memory."""

import ctypes
import os
import platform
from contextlib import suppress

import torch

from mnist_core.config import Execution, RunConfig
from mnist_core.errors import InputError
from mnist_core.training.threads import choose_threads

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
LARGEST = 2**31 - 1  # bytes
LIMITS = (LARGEST, 32 * 2**20)  # bytes; an older glibc takes no more than the second


def choose_device(name: str) -> str:
    """The device to use. Raises InputError when the one asked for is not there."""
    has_gpu = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_gpu else "cpu"
    if name == "cuda" and not has_gpu:
        raise InputError("device: 'cuda' was given, which this machine lacks; it has cpu")
    return name


def configure_torch(execution: Execution, config: RunConfig | None = None) -> Execution:
    """Sets torch up for this process, with every choice made. Results then repeat bit for bit."""
    device = choose_device(execution.device)
    threads = choose_threads(execution.threads, config)
    torch.set_num_threads(threads)
    keep_freed_memory()
    if device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        # filling fresh memory would double the number of kernels; torch's stubs lack the setting
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = False  # as precise as the CPU, where runs are shown
    return execution.replace(device=device, threads=threads)


def keep_freed_memory() -> None:
    """Has glibc reuse what a step frees. It would give large blocks back to the system, and the
    next step would get them page by page: with large batches, half of the time. Elsewhere, and
    where the environment decides (MALLOC_…), nothing changes."""
    if platform.libc_ver()[0] != "glibc" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        if any(allocator.mallopt(M_MMAP_THRESHOLD, size) for size in LIMITS):
            allocator.mallopt(M_TRIM_THRESHOLD, LARGEST)
