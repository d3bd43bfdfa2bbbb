"""From C source to a loaded library: the machine's own compiler, and a cache of what it made."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnist_core.errors import LabError

KERNELS = Path(__file__).parent / "kernels"
# No -ffast-math: a loss that is no longer finite has to be seen.
FLAGS: tuple[str, ...] = ("-O3", "-march=native", "-std=gnu11", "-shared", "-fno-math-errno")
FLAGS += () if sys.platform == "win32" else ("-fPIC", "-pthread")
SECONDS = 300  # after which a compiler is ended


class EngineUnavailable(LabError):
    """The native engine cannot be used; the text says why, in one sentence."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler, and the processor it compiles for."""

    command: tuple[str, ...]
    version: str
    macros: str  # all that it predefines, the processor's abilities among them

    @property
    def lanes(self) -> int:
        """Floats in a vector, as `lanes.h` has it."""
        return 16 if self._has("__AVX512F__") else 8 if self._has("__AVX__") else 4

    @property
    def registers(self) -> int:
        """Vector registers of the processor."""
        return 32 if self._has("__AVX512F__") or self._has("__aarch64__") else 16

    def _has(self, macro: str) -> bool:
        return f"#define {macro} " in self.macros


def find_compiler() -> Compiler:
    """$CC, the system's compiler, or the `ziglang` package. Raises EngineUnavailable."""
    return _examined(_command())


def _command() -> tuple[str, ...]:
    chosen = os.environ.get("CC")
    if chosen:
        return tuple(shlex.split(chosen))
    for name in ("cc", "gcc", "clang"):
        path = shutil.which(name)
        if path:
            return (path,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    raise EngineUnavailable("No C compiler was found (cc, gcc, clang or the ziglang package).")


@functools.cache
def _examined(command: tuple[str, ...]) -> Compiler:
    version = _run([*command, "--version"])
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.c"
        empty.touch()
        macros = _run([*command, "-march=native", "-dM", "-E", str(empty)])
    return Compiler(command, version, macros)


def _run(command: list[str]) -> str:
    """What the command prints. Raises EngineUnavailable when it cannot be run or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineUnavailable(
            f"The C compiler {command[0]} could not be run ({error})."
        ) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        raise EngineUnavailable(f"The C compiler {command[0]} failed ({lines[0].strip()}).")
    return done.stdout


def cache_folder() -> Path:
    """Where compiled networks are kept: MNIST_CACHE, or a folder in the user's cache."""
    if os.environ.get("MNIST_CACHE"):
        return Path(os.environ["MNIST_CACHE"])
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mnist-lab"


def load(source: str, compiler: Compiler, cache: Path | None = None) -> ctypes.CDLL:
    """The library made from `source`, from the cache where it is there.

    Raises EngineUnavailable when it cannot be compiled, written or loaded.
    """
    folder = cache or cache_folder()
    path = folder / f"{_key(source, compiler)}.{'dll' if sys.platform == 'win32' else 'so'}"
    try:
        if path.exists():
            with suppress(OSError):  # a damaged file is made again
                return ctypes.CDLL(str(path))
        folder.mkdir(parents=True, exist_ok=True)
        _compile(source, compiler, path)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise EngineUnavailable(
            f"The compiled network {path} could not be used ({error})."
        ) from error


def _command_of(compiler: Compiler) -> list[str]:
    """The compiler with its flags; $CFLAGS may add some, but nothing that hides a NaN."""
    chosen = shlex.split(os.environ.get("CFLAGS", ""))
    return [*compiler.command, *FLAGS, *chosen, "-fno-fast-math"]


def _key(source: str, compiler: Compiler) -> str:
    headers = [path.read_text("utf-8") for path in sorted(KERNELS.glob("*.h"))]
    command = " ".join(_command_of(compiler))
    parts = [source, *headers, command, compiler.version, compiler.macros]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _compile(source: str, compiler: Compiler, path: Path) -> None:
    """Writes the library under a temporary name and renames it, so that nobody loads half of it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        unit, made = Path(folder) / "network.c", Path(folder) / path.name
        unit.write_text(source, "utf-8")
        libraries = [] if sys.platform == "win32" else ["-lm"]
        _run([*_command_of(compiler), f"-I{KERNELS}", str(unit), "-o", str(made), *libraries])
        os.replace(made, path)
