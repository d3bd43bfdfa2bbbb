"""Texts that people write: layers, search spaces, and the experiments of the Learn page."""

import functools
import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnist_core.analysis.checks import Store, carry_out
from mnist_core.analysis.experiment import read_experiment
from mnist_core.analysis.named_runs import figures_in_words
from mnist_core.config import RunConfig
from mnist_core.errors import InputError, LabError
from mnist_core.layers.chain import check, receptive_field, trace
from mnist_core.layers.kinds import LayersError
from mnist_core.layers.text import KINDS, SYNONYMS, Words, parse, text_of
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import PRUNERS, SAMPLERS, Plan
from mnist_core.sweeps.space import read_space, read_space_file
from tests.tools.fuzzing.configs import random_value
from tests.tools.fuzzing.pages import template
from tests.tools.fuzzing.part import ODD, odd_somewhere, part, spoiled
from tests.unit.layers.random_layers import broken_text, random_text

EXPERIMENTS = sorted((Path(__file__).parents[3] / "pages" / "experiments").glob("*.md"))
WORDS = (*KINDS, *SYNONYMS, "stride", "padding", "same", "no", "bias", "classes", "activation")
WORDS += ("3x3", "5", "0", "-1", "64", "65", "1025", "999999", "9" * 400, "0.5", "nan", "1e-9")
WORDS += (
    "x",
    "3×3",
    "٣",
    "\0",
    "\u202e",
    "🙂",
    "",
    ",",
    ";",
    "\n",
    "1x",
    "x1",
    "1x1x1",
    "=",
    "[x](//y)",
)
RANGES = ("0..1", "1e-4..1:log", "0..0.5:step=0.05", "1..0", "..", "0..1:log:step=1", "a..b", "any")
RANGES += ("1..9:step=0", "0..1:step=nan", "nan..nan", "-inf..inf", "1e-4..1:log:log", "1,2,", ",")
RANGES += ("32," * 2000, "1..1e300", "0..1:step=1e-12", "0..1:step=1e400", "1...2", ":log")


@part("layers", count=2000)
def read_layers(chance: random.Random, _: Path) -> None:
    """A network as text: what is read of it is written, and read again as the same."""
    text = chance.choice((random_text, broken_text))(chance)
    if chance.random() < 0.6:
        words = text.replace(",", " , ").split(" ")
        for _word in range(chance.randint(1, 4)):
            words.insert(chance.randint(0, len(words)), str(chance.choice((*WORDS, *ODD))))
        text = " ".join(words)
    words = Words(chance.choice((2, 10, 47, 256)), "SELU", chance.choice((0.0, 0.25)))
    side = chance.choice((28, 32))
    layers = parse(text, words)
    assert parse(text_of(layers), words) == layers
    with suppress(LayersError):
        receptive_field(trace(layers, side))
        check(layers, side, words.classes)


def dimension(chance: random.Random, name: str) -> Any:
    """What somebody may write for a field: right, nearly right, or odd."""
    rule = RunConfig.metadata(name)["rule"]
    with suppress(AssertionError):  # layers and switches have no such values
        values = [random_value(chance, rule) for _ in range(chance.randint(1, 4))]
        table = {"low": values[0], "high": values[-1], "log": True, "step": values[0]}
        some = {k: table[k] for k in chance.sample([*table], chance.randint(1, 4))}
        text = f"{values[0]}..{values[-1]}{chance.choice(('', ':log', ':step=1'))}"
        mixed = [*values, chance.choice(ODD)]
        return chance.choice((values, values[0], some, text, mixed, *RANGES, *ODD))
    return chance.choice((*RANGES, *ODD))


@part("spaces", count=1000)
def read_spaces(chance: random.Random, folder: Path) -> None:
    """A search space of options or of a TOML file, its plan, and what the study keeps of it."""
    names = chance.sample([*RunConfig.names(), "", "x y"], chance.randint(0, 5))
    given = {name: dimension(chance, name) for name in names if name in RunConfig.names()}
    if chance.random() < 0.3:
        path = folder / "space.toml"
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
        path.write_bytes(spoiled(chance, lines.encode("utf-8", "replace")))
        given = read_space_file(path)
    recipe = chance.choice((None, "grid", "improved", "reference", *ODD[-8:]))
    space = read_space(given, recipe)
    plan = Plan(space, chance.choice(SAMPLERS), chance.choice(PRUNERS), chance.randint(1, 3))
    kept = json.loads(json.dumps(plan.to_json()))
    assert Plan.from_json(kept).to_json() == plan.to_json()
    values = {name: _first(each) for name, each in space.ordered()}
    assert plan.configs(values)
    with suppress(InputError):
        Plan.from_json(odd_somewhere(chance, kept)).configs(values)


def _first(each: Any) -> Any:
    return each.options[0] if hasattr(each, "options") else each.low


@functools.cache
def _store() -> Store:
    store = RunStore(template() / "store")
    return Store(store, store.list()[0])


ENDS = ('"x"', "[]", "{}", "1e400", "-1", '"lenet5"', "true", "[[]]", '{model = "small"}', "nan")


def header(chance: random.Random, text: str) -> str:
    """The experiment with other values behind some names of its header."""
    lines = text.split("\n")
    places = [n for n, line in enumerate(lines[: lines.index("+++", 1)]) if " = " in line]
    for place in chance.sample(places, chance.randint(1, 3)):
        name = chance.choice((lines[place].split(" = ")[0], "run", "field", "values", "kind"))
        lines[place] = f"{name} = {chance.choice(ENDS)}"
    return "\n".join(lines)


@part("experiments", prepare=lambda: _store())
def read_an_experiment(chance: random.Random, folder: Path) -> None:
    """An experiment's file with another header or broken bytes, and its check."""
    text = chance.choice(EXPERIMENTS).read_text("utf-8")
    path = folder / "1-x.md"
    changed = header(chance, text) if chance.random() < 0.7 else text
    content = changed.encode()
    path.write_bytes(spoiled(chance, content) if chance.random() < 0.4 else content)
    one, here = read_experiment(path), _store()
    with suppress(LabError):
        figures_in_words(here.store, here.runs, one.figures)
    if one.check.get("kind") != "smallest step":  # which takes seconds of computing
        carry_out(here, one)
