"""How the shipped networks read odd pictures: those of odd_pictures.py, or a folder of files.

    python -m tests.tools.odd_reading                   # 200 pictures of each kind
    python -m tests.tools.odd_reading --cases FOLDER    # files whose names end in the answer

Answers are for the best MNIST run of each network. One counts as right when the whole reading is,
and every digit counts as known. A file is named like `tiny-3.png` or `decimal-3.5.png`; where the
name ends without a digit (`letter-A.png`), the picture has to be turned away. Where it says
`sideways`, the right answer may take quarter turns.
"""

import argparse
import re
from pathlib import Path

import numpy as np

from mnist_core.imaging.image_file import PICTURES
from mnist_core.imaging.photo import from_image
from tests.tools.odd_pictures import KINDS
from tests.tools.reader import readers


def is_right(reader, stages, answer):
    """Whether a picture is read right, or turned away where it shows no digit."""
    reading, known = reader.reading(stages)
    return known and reading == answer if answer else not known


def answer_of(name):
    """The digits that a file's name ends in: 12 of two-12.png, 35 of decimal-3.5.png."""
    last = Path(name).stem.split("-")[-1]
    return "".join(re.findall(r"\d", last))


def cases(folder):
    """(name, answer, the steps of each way in which it may lie) for each picture of a folder."""
    for path in sorted(Path(folder).iterdir()):
        if path.suffix.lower() in PICTURES:
            turns = range(4) if "sideways" in path.name else range(1)
            data = path.read_bytes()
            yield path.name, answer_of(path.name), [from_image(data, turns=turn) for turn in turns]


def tell_cases(found, folder):
    """Each wrong answer, then how many of each network's are right."""
    pictures, right = list(cases(folder)), dict.fromkeys(found, 0)
    for name, answer, ways in pictures:
        for model, reader in found.items():
            if any(is_right(reader, stages, answer) for stages in ways):
                right[model] += 1
                continue
            reading, known = reader.reading(ways[0])
            print(f"{model:16} {name:28} {reading!r}{'' if known else ', not known'}", flush=True)
    for model, count in right.items():
        print(f"{model:16} {count} of {len(pictures)}")


def tell_kinds(found, count):
    """A Markdown table: in percent, for each kind the pictures that each network reads right."""
    print("|", " | ".join(["kind", *found]), "|")
    print("|---" * (1 + len(found)) + "|")
    for name, kind in KINDS.items():
        random = np.random.default_rng([2026, sum(map(ord, name))])
        right = np.zeros(len(found))
        for number in range(count):
            stages = from_image(kind(number % 10, random))
            right += [is_right(reader, stages, str(number % 10)) for reader in found.values()]
        print("|", " | ".join([name, *(f"{100 * r / count:.1f}" for r in right)]), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", metavar="FOLDER")
    parser.add_argument("--network", nargs="+", default=(), help="only these")
    parser.add_argument("--count", type=int, default=200, help="pictures of a kind")
    options = parser.parse_args()
    found = readers(options.network)
    if options.cases:
        tell_cases(found, options.cases)
    else:
        tell_kinds(found, options.count)


if __name__ == "__main__":
    main()
