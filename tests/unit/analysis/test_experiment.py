"""Experiments of the Learn page: the files' form, and what the checks say of runs made for them."""

import re

import numpy as np
import pytest

from mnist_core.analysis.checks import CHECKS, Store, carry_out
from mnist_core.analysis.experiment import SECTIONS, read_experiment
from mnist_core.analysis.named_runs import figures_in_words
from mnist_core.errors import InputError, NotFound
from mnist_core.evaluation.metrics import to_half
from mnist_core.evaluation.robustness import ROBUSTNESS
from mnist_core.models import make_config
from mnist_core.paths import PROJECT
from mnist_core.runs.folder import RunFolder
from tests.stores import add_run, make_labels, make_run

GRID = {"model": "lenet5", "recipe": "grid"}
HEAD = """title = "T"
choices = ["a", "b", "c"]
[live]
kind = "curves"
[check]
kind = "best value"
"""
TEXT = "\n".join(f"## {name}\nwords" for name in SECTIONS[:-1])
GOOD = f"+++\n{HEAD}+++\n{TEXT}\n## {SECTIONS[-1]}\n- [there](train?lr=0.5&seed=2)\n"


def test_a_whole_file(tmp_path):
    (tmp_path / "1-x.md").write_text(GOOD)
    found = read_experiment(tmp_path / "1-x.md")
    assert (found.name, found.title, found.choices) == ("1-x", "T", ("a", "b", "c"))
    (link,) = found.links
    assert (link.words, link.page, link.query) == ("there", "train", "lr=0.5&seed=2")


def test_the_example_in_the_instructions_can_be_read(tmp_path):
    text = (PROJECT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    (example,) = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)
    (tmp_path / "7-dropout.md").write_text(example)
    found = read_experiment(tmp_path / "7-dropout.md")
    assert found.check["kind"] in CHECKS and "half" in found.figures


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("+++\n", "", "a header between two lines"),
        ('title = "T"', "title = T", "not valid TOML"),
        ('title = "T"', "", "needs a title"),
        ('["a", "b", "c"]', '["a"]', "two choices or more"),
        ('[check]\nkind = "best value"', "", r"needs a table \[check\]"),
        ("## Why", "## Because", "its sections must be"),
        ("words", "reads {figure} of them", "the text names figure"),
        ("(train?lr=0.5&seed=2)", "(http://example.org)", "is no link"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, old, new, reason):
    assert old in GOOD
    (tmp_path / "1-x.md").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=rf"1-x.md: .*{reason}"):
        read_experiment(tmp_path / "1-x.md")


def test_a_file_in_another_encoding_is_one_sentence(tmp_path):
    (tmp_path / "1-x.md").write_bytes(GOOD.replace("words", "Wörter").encode("latin-1"))
    with pytest.raises(InputError, match=r"1-x.md cannot be read"):
        read_experiment(tmp_path / "1-x.md")


def outcome(store, kind, **options):
    return CHECKS[kind](Store(store, store.list()[0]), **options)


def made(store, accuracy, **fields):
    make_labels(store)
    config = make_config(**{**GRID, **fields})
    return make_run(store, config, accuracy=accuracy, validation_accuracy=accuracy)


def test_the_best_value_and_one_that_learned_nothing(store):
    for lr, accuracy in ((0.001, 0.9), (0.01, 0.97), (1.0, 0.1)):
        made(store, accuracy, lr=lr)
    options = {"run": GRID, "field": "lr", "values": [1.0, 0.01], "shown": [0.001]}
    found = outcome(store, "best value", **options)
    assert found.right == 1 and [row[0] for row in found.rows] == ["0.001", "0.01", "1"]
    assert "like guessing" in found.rows[2][2] and "96.80 %" in found.rows[1][2]
    with pytest.raises(NotFound, match="no finished run of lenet5"):
        outcome(store, "best value", **options | {"values": [0.5]})


@pytest.mark.parametrize(("best", "right"), [(0.01, 0), (0.1, 1), (0.001, 2)])
def test_the_best_rate_stays_grows_or_falls(store, best, right):
    for batch, peak in ((32, 0.01), (128, best)):
        for lr in (0.001, 0.01, 0.1):
            made(store, 0.97 if lr == peak else 0.9, lr=lr, batch_size=batch)
    rates = {"field": "lr", "values": [0.001, 0.01, 0.1]}
    ends = {"over": "batch_size", "ends": [32, 128], "shown": []}
    assert outcome(store, "best moves", run=GRID, **rates, **ends).right == right


@pytest.mark.parametrize(("other", "right"), [(0.95, 0), (0.971, 1), (0.99, 2)])
def test_a_difference_is_real_only_beyond_the_seeds(store, other, right):
    for place, seed in enumerate((1, 2, 3)):
        for model, accuracy in (("lenet5", 0.97), ("medium", other)):
            config = make_config(model, seed=seed)
            run = make_run(store, config, accuracy=accuracy + 0.001 * place, weights="w")
            (run.path / "w").write_bytes(b"")
    make_labels(store)
    pairs = [[{"model": "lenet5"}, {"model": "medium"}]]
    found = outcome(store, "difference", pairs=pairs)
    assert found.right == right and (found.rows[0][3] == "real") == (right != 1)
    named = figures_in_words(store, store.list()[0], {"a": {"model": "lenet5"}, "b": GRID})
    assert named["a"].startswith("96.90 % (") and named["a"].endswith("3 seeds)")
    assert named["b"] == "(no such run here)"


def robust(run, **right):
    from mnist_core.evaluation.robustness import FORMAT
    from mnist_core.imaging.corruptions import CORRUPTIONS

    curves = {
        kind: [(level, right.get(kind, 90)) for level in found.levels]
        for kind, found in CORRUPTIONS.items()
    }
    found = {"format": FORMAT, "weights_sha256": run.summary.weights_sha256, "images": 100}
    RunFolder(run.path).write_added(ROBUSTNESS, found | {"curves": curves})


def test_the_first_to_fall(store):
    robust(make_run(store, make_config("lenet5")), shift=50)
    robust(make_run(store, make_config("medium")), noise=20)
    options = {"runs": [{"model": "lenet5"}, {"model": "medium"}], "names": ["A", "B"]}
    found = outcome(store, "first to fall", corruption="shift", level=4, **options)
    assert found.right == 0 and found.rows[0][1].startswith("50.0 %")
    also = [["shift", 4]]
    found = outcome(store, "first to fall", corruption="noise", level=0.3, also=also, **options)
    assert found.right == 1 and len(found.rows[0]) == 3


@pytest.mark.parametrize(("sure", "right"), [(0.99, 0), (0.8, 1), (0.4, 2)])
def test_confidence_against_accuracy(store, sure, right):
    """8 of 10 answers are right, each with the same confidence."""
    run = made(store, 0.8)
    labels = np.arange(10_000) % 10
    logits = np.full((10_000, 10), np.log((1 - sure) / 9), np.float32)
    answers = np.where(labels < 8, labels, 0)
    logits[np.arange(10_000), answers] = np.log(sure)
    run.folder.write_logits({"validation": to_half(logits), "test": to_half(logits)})
    assert outcome(store, "confidence", runs=[GRID]).right == right


def test_the_smallest_step_falls_into_a_range(store):
    from mnist_core.evaluation.network import load_network
    from mnist_core.imaging.sample_drawings import drawn_digits
    from mnist_core.inspection.adversarial import attack

    run = add_run(store, "lenet5")
    steps = [attack(load_network(run), image).smallest or 129 for image in drawn_digits()]
    middle = float(np.median(steps))
    options = {"runs": [{"model": "lenet5"}], "names": ["A"]}
    for bounds, right in (([middle + 1], 0), ([middle - 0.5, middle + 1], 1), ([middle / 2], 1)):
        found = outcome(store, "smallest step", bounds=bounds, **options)
        assert found.right == right and float(found.rows[-1][1]) == middle


def test_a_wrong_header_of_a_check_is_one_sentence(tmp_path, store):
    for check, reason in (("best value", "missing"), ("weather", "allowed is one of best value")):
        (tmp_path / "1-x.md").write_text(GOOD.replace("best value", check))
        with pytest.raises(InputError, match=reason):
            carry_out(Store(store, []), read_experiment(tmp_path / "1-x.md"))
