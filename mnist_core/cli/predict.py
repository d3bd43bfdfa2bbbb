"""What a trained network reads: the commands `evaluate` and `predict`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.cli.command import Answer, command, one_run
from mnist_core.cli.terminal import say, table
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.files import read_file
from mnist_core.formatting import percent
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    from mnist_core.evaluation.network import Network
    from mnist_core.imaging.digits import Digit
    from mnist_core.inspection.novelty import Detector

PICTURE_LIMIT = 2**28  # bytes of a file; 25 million pixels of 32 bits have 100 million


@command("evaluate", "Accuracy on the test set, and the confusion matrix.", one_run)
def evaluate(options: Namespace) -> Answer:
    from mnist_core.evaluation.predict import evaluate as evaluate_run

    store = RunStore()
    figures = evaluate_run(store, store.get(options.id))
    classes = dataset_spec(figures["dataset"]).classes
    title = f"{figures['id']}: test {percent(figures['test_accuracy'])} ({figures['from']})"
    rows = [
        {"true class": classes[i], **dict(zip(classes, row, strict=True))}
        for i, row in enumerate(figures["confusion"])
    ]
    return Answer(figures, f"{title}\n{table(rows)}")


def _predict_options(parser: ArgumentParser) -> None:
    one_run(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a picture, or a folder of some")


@command("predict", "What a run's network reads in pictures of your own.", _predict_options)
def predict(options: Namespace) -> Answer:
    from mnist_core.evaluation.network import Network
    from mnist_core.evaluation.predict import load_model
    from mnist_core.inspection.novelty import stored

    run = RunStore().get(options.id)
    network, detector = Network(run, load_model(run)), stored(run)
    answers = [_answer_or_error(network, detector, name) for name in _pictures(options.images)]
    failed = [answer for answer in answers if "error" in answer]
    if not options.json:
        for answer in failed:
            say(f"{answer['image']}: {answer['error']}")
    noun = dataset_spec(run.config.dataset).noun
    lines = [_line(answer, noun) for answer in answers if answer not in failed]
    alone = len(options.images) == 1 and not Path(options.images[0]).is_dir()
    value = answers[0] if alone else answers
    return Answer(value, "\n".join(lines), status=int(bool(failed)))


def _pictures(names: list[str]) -> list[str]:
    """The files in place of the folders among `names`: their pictures, by name.

    Raises InputError for a folder without any.
    """
    from mnist_core.imaging.image_file import PICTURES

    def is_picture(path: Path) -> bool:
        return path.suffix.lower() in PICTURES and path.is_file()

    found: list[str] = []
    for name in names:
        if not Path(name).is_dir():
            found.append(name)
            continue
        inside = [str(path) for path in sorted(Path(name).iterdir()) if is_picture(path)]
        if not inside:
            raise InputError(f"{name}: the folder has no pictures ({', '.join(PICTURES)})")
        found += inside
    return found


def _answer_or_error(network: Network, detector: Detector | None, name: str) -> dict[str, Any]:
    """What is read in one picture, or why it cannot be: the others are answered all the same."""
    try:
        return {"image": name, **_answer(network, detector, read_file(Path(name), PICTURE_LIMIT))}
    except OSError as error:
        return {"image": name, "error": f"cannot be read ({error.strerror})"}
    except InputError as error:
        return {"image": name, "error": str(error)}
    except ValueError as error:
        return {"image": name, "error": f"cannot be read ({error})"}


def _answer(network: Network, detector: Detector | None, data: bytes) -> dict[str, Any]:
    from mnist_core.imaging.digits import digits_of, in_words, whole
    from mnist_core.imaging.image_file import upright_size
    from mnist_core.imaging.photo import from_image
    from mnist_core.inspection.looks_like_digit import digit_score

    spec = dataset_spec(network.run.config.dataset)
    stages = from_image(data, fill=spec.filled)
    if stages is None:
        raise InputError("shows nothing that looks like ink")
    score = digit_score(network, detector) if detector else None
    digits = digits_of(stages, score) if spec.one_character else (whole(stages),)
    size = upright_size(data)
    answers = [
        _prediction(network, digit, size) | _novelty(network, detector, digit) for digit in digits
    ]
    reading = in_words(digits, [answer["class"] for answer in answers])
    alone = {k: v for k, v in answers[0].items() if k != "box"} if len(answers) == 1 else {}
    known = None if detector is None else all(answer["known"] for answer in answers)
    return {"reading": reading, "digits": answers, "known": known, **alone}


def _novelty(network: Network, detector: Detector | None, digit: Digit) -> dict[str, Any]:
    """How novel the digit is, from 0 to 1, and whether it is known; None without a detector."""
    from mnist_core.inspection.novelty import known

    if detector is None:
        return {"novelty": None, "known": None}
    novelty = float(detector.novelty(network, digit.image[None])[0])
    return {"novelty": novelty, "known": known(novelty)}


def _prediction(network: Network, digit: Digit, size: tuple[int, int]) -> dict[str, Any]:
    """One digit: what it is, and its box (top, left, bottom, right) in the picture's pixels."""
    probabilities = network.probabilities(digit.image[None])[0]
    label = int(probabilities.argmax())
    width, height = size
    shares = zip(digit.box, (height, width, height, width), strict=True)
    return {
        "label": label,
        "class": dataset_spec(network.run.config.dataset).classes[label],
        "confidence": float(probabilities[label]),
        "probabilities": [float(p) for p in probabilities],
        "box": [round(share * pixels) for share, pixels in shares],
    }


def _line(answer: dict[str, Any], noun: str) -> str:
    """What people read of one picture: with several digits each one's confidence."""
    digits, reading = answer["digits"], answer["reading"]
    confidences = ", ".join(percent(digit["confidence"]) for digit in digits)
    unlike = sum(digit["known"] is False for digit in digits)
    if unlike == len(digits) == 1:
        return f"{answer['image']}: not like any {noun} it knows (nearest: {reading})"
    note = f"; {unlike} of {len(digits)} not like any {noun} it knows" if unlike else ""
    return f"{answer['image']}: {reading} ({confidences}{note})"
