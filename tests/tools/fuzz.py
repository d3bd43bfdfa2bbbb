"""Feeds the lab what nobody would write, and checks that no more than a sentence comes of it.

    python -m tests.tools.fuzz [PART…] [--cases N] [--seed N] [--json]

Each case has a seed of its own, which is printed when it fails: `PART --seed N --cases 1` is that
case again. A case fails with a traceback or a page's exception box, after ten seconds, when it
makes the process larger than a gigabyte, and when something beside its folder was written. Exits
with 1 when one did. Cases run in processes of their own, one after the other.

A part is a function in tests/tools/fuzzing/, in a module that `all_parts` imports: it takes a
source of chance and an empty folder, and may raise LabError or nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.tools.fuzzing import child
from tests.tools.fuzzing.all_parts import PARTS
from tests.tools.report import in_lines

# Of each case of a light part, how many of a part that opens pages or trains: they take longer.
SHARES = {"configs": 0.4, "addresses": 0.4, "canvas": 0.4}


def fuzz(
    counts: Mapping[str, int], seed: int, tell: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Runs so many cases of each part; returns what was done and which failed."""
    began, failed = time.monotonic(), list[dict[str, Any]]()
    peaks = {}
    for name, count in counts.items():
        for case in child.cases(name, range(seed, seed + count)):
            peaks[name] = max(peaks.get(name, 0), case["peak"] // 2**20)
            if wrong := case["wrong"]:
                tell(f"{name}, seed {case['seed']}: {wrong}")
                failed.append({"part": name, "seed": case["seed"], "wrong": wrong})
        tell(f"{name}: {count} cases, {time.monotonic() - began:.0f} s")
    return {
        "cases": sum(counts.values()),
        "by_part": dict(counts),
        "first_seed": seed,
        "failed": failed,
        "seconds": round(time.monotonic() - began),
        "peak_mb": peaks,
    }


def spread(cases: int) -> dict[str, int]:
    """So many cases in all, over all parts."""
    shares = {name: SHARES.get(name, 1.0) for name in PARTS}
    whole = sum(shares.values())
    counts = {name: max(1, int(cases * share / whole)) for name, share in shares.items()}
    heaviest = max(counts, key=lambda name: shares[name])
    return counts | {heaviest: counts[heaviest] + max(0, cases - sum(counts.values()))}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--cases", type=int, default=None, help="of each part (100)")
    parser.add_argument("--all", type=int, default=None, help="cases in all, over all parts")
    parser.add_argument("--seed", type=int, default=None, help="of the first case of each part")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    seed = random.randrange(10**6) if options.seed is None else options.seed
    each = dict.fromkeys(options.parts or PARTS, options.cases or 100)
    counts = spread(options.all) if options.all else each
    tell = lambda text: print(text, file=sys.stderr)  # noqa: E731
    result = fuzz(counts, seed, tell)
    if options.json:
        print(json.dumps(result))
    else:
        print(in_lines({**result, "failed": len(result["failed"])}))
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
