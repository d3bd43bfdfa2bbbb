"""Links to the pages, with anything in their query."""

import functools
import random
import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from mnist_core.config import RunConfig
from mnist_core.data.drawing_sets import sets_folder
from mnist_core.dataset_specs import dataset_names
from mnist_core.models import model_names
from tests.app.opening import PAGES, texts_of
from tests.tools.fuzzing.pages import PER_PROCESS, alone, check, template, warm_up
from tests.tools.fuzzing.part import ODD, part

PREFIXES = {"learn": "learn", "train": "train", "compare": "cmp", "playground": "play"}
LINK, PICTURE = "www.evil.example", "![x](//evil.example/p.png)"
HOSTILE = (LINK, PICTURE, "me@evil.example", f"<img src=//{LINK}>", "x" * 5000, "\0", "\u202e", "۳")
HOSTILE += (":material/x:", "$\\href{//evil.example}{x}$", "../../etc/passwd", "a\nb", "-1", "1e99")
HOSTILE += ("99999999999999999999", "conv1:0:0:0", "conv1:999:9:9:9", "conv1:٣", "::::", "true")
HOSTILE += ("5,000", "any size", "Draw", "Photo", "Test image", "Why", "Fool it", "Move it")
HOSTILE += ("Search", "Files and command", "Glossary", "Experiments", "1-learning-rate", "made-up")
HOSTILE += ("My digits", "Curves", "Mistakes", "Robustness", "Calibration", "Trade-off", "0", "7")
PLAIN = tuple(str(value) for value in ODD if not isinstance(value, int) or value < 10**9)


@functools.cache
def names(page: str) -> tuple[str, ...]:
    """The parameters that a page may know: all names in its source that begin as such do."""
    sources = [*PAGES.glob(f"components/{page}/**/*.py"), PAGES / f"{page}.py"]
    pattern = rf'"({PREFIXES[page]}(?:_[a-z_]+)?)"'
    found = {name for path in sources for name in re.findall(pattern, path.read_text("utf-8"))}
    return (*sorted(found), *(RunConfig.names() if page == "train" else ()), "recipe")


def value(chance: random.Random) -> str:
    """What stands behind a parameter: hostile, odd, or right for some other one."""
    runs = [path.name for path in (template() / "store").iterdir()]
    right = (*runs, *dataset_names(), *model_names())
    text: str = chance.choice(chance.choice((HOSTILE, PLAIN, right)))
    return text.encode("utf-8", "replace").decode()  # an address holds no lone surrogate


def query(chance: random.Random, page: str) -> dict[str, str | list[str]]:
    """Some parameters, some of them several times; often the way to a set of drawings."""
    chosen = chance.sample(names(page), chance.randint(1, 8))
    found: dict[str, str | list[str]] = {
        name: value(chance) if chance.random() < 0.8 else [value(chance) for _ in range(3)]
        for name in chosen
    }
    if page == "playground" and chance.random() < 0.3:
        (key,) = (path.name for path in sets_folder(template() / "store").iterdir())
        found |= {"play_set": key, "play_wall": chance.choice(("true", "false", "x"))}
    return found


@part("addresses", prepare=warm_up, count=PER_PROCESS)
def follow_links(chance: random.Random, folder: Path) -> None:
    """A visitor follows one link or two in one session: the page says what it makes of them."""
    name = chance.choice([*PREFIXES])
    with alone(folder):
        page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
        for _ in range(chance.randint(1, 2)):
            for parameter, said in query(chance, name).items():
                page.query_params[parameter] = said
            check(page.run())
            for text in texts_of(page):
                assert LINK not in text and "![" not in text and "e@evil" not in text, text
