"""How the shipped networks read odd pictures: those made by random numbers, or a folder of files.

    python -m tests.tools.odd_reading                       # 200 pictures of each kind
    python -m tests.tools.odd_reading --kind squared hair   # only these
    python -m tests.tools.odd_reading --wrong FOLDER        # … which keeps what is read wrongly
    python -m tests.tools.odd_reading --cases FOLDER        # files whose names end in the answer

Kinds are those of odd_pictures.py and everyday_pictures.py. Answers are for the best MNIST run of
each network. One counts as right when the whole reading is, and every digit counts as known; beside
the valid digit, one that is crossed out may be taken for unlike any digit. A file is named like
`tiny-3.png` or `decimal-3.5.png`; where the name ends without a digit (`letter-A.png`), the picture
has to be turned away. Where it says `sideways`, the right answer may take quarter turns.
"""

import argparse
import re
from pathlib import Path

import numpy as np

from mnist_core.imaging.image_file import PICTURES
from mnist_core.imaging.photo import from_image
from tests.tools.everyday_pictures import EVERYDAY
from tests.tools.odd_pictures import KINDS
from tests.tools.reader import readers

VOID = ("crossed_out", "scribbled_out", "crossed-out")  # kinds that show one digit too many


def is_right(reader, stages, answer, kind=""):
    """Whether a picture is read right, or turned away where it shows no digit."""
    if kind.startswith(VOID) and stages is not None:
        return "".join(reader.known_labels(stages)) == answer
    reading, known = reader.reading(stages)
    return known and reading == answer if answer else not known


def pictures_of(kind, count):
    """(bytes, answer) for each picture of a kind."""
    random = np.random.default_rng([2026, sum(map(ord, kind))])
    for number in range(count):
        digit = number % 10
        if kind in EVERYDAY:
            yield EVERYDAY[kind](digit, random)
        else:
            yield KINDS[kind](digit, random), str(digit)


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
            if any(is_right(reader, stages, answer, name) for stages in ways):
                right[model] += 1
                continue
            reading, known = reader.reading(ways[0])
            print(f"{model:16} {name:28} {reading!r}{'' if known else ', not known'}", flush=True)
    for model, count in right.items():
        print(f"{model:16} {count} of {len(pictures)}")


def tell_kinds(found, kinds, count, wrong):
    """A Markdown table: in percent, for each kind the pictures that each network reads right."""
    print("|", " | ".join(["kind", *found]), "|")
    print("|---" * (1 + len(found)) + "|")
    for kind in kinds:
        right = np.zeros(len(found))
        for number, (data, answer) in enumerate(pictures_of(kind, count)):
            stages = from_image(data)
            told = [is_right(reader, stages, answer, kind) for reader in found.values()]
            right += told
            if wrong and not all(told):
                (wrong / f"{kind}-{number}-{answer}").with_suffix(".jpg").write_bytes(data)
        print("|", " | ".join([kind, *(f"{100 * r / count:.1f}" for r in right)]), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", metavar="FOLDER")
    parser.add_argument("--network", nargs="+", default=(), help="only these")
    parser.add_argument("--kind", nargs="+", default=[*KINDS, *EVERYDAY], help="only these")
    parser.add_argument("--count", type=int, default=200, help="pictures of a kind")
    parser.add_argument("--wrong", type=Path, metavar="FOLDER", help="keep those read wrongly")
    options = parser.parse_args()
    found = readers(options.network)
    if options.cases:
        tell_cases(found, options.cases)
    else:
        tell_kinds(found, options.kind, options.count, options.wrong)


if __name__ == "__main__":
    main()
