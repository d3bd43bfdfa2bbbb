"""What tests of the Train page share: ways to open and to operate it, and looks at it."""

from functools import partial

from mnist_core.models.grid import opening_config
from tests.app.opening import open_page as open_any

open_page = partial(open_any, "train")


def opening(**changes):
    """The config that the page opens with, with some fields changed."""
    return opening_config().replace(**changes)


def words(page):
    kinds = (page.markdown, page.caption, page.warning, page.error)
    found = "\n".join(element.value for kind in kinds for element in kind)
    return found.replace("\N{NO-BREAK SPACE}", " ")


def ready(page):
    """The buttons of the shown run that can be pressed."""
    keys = ("train_now", "train_continue", "pause_shown", "stop_shown")
    return {page.button(key=key).label for key in keys if not page.button(key=key).disabled}


def options(page, name):
    return page.selectbox(key=f"control_{name}").options


def stop(page, name):
    """The control of one setting that shows its stops."""
    return page.button_group(key=f"control_{name}")


def move(page, name, value):
    stop(page, name).set_value(value).run()
