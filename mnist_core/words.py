"""Figures and fields as people say them."""


def percent(fraction: float | None, digits: int = 2) -> str:
    """0.98765 -> "98.77 %"; a missing figure is a dash."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


def duration(seconds: float) -> str:
    """5.2 -> "5 s", 100 -> "2 min", 7200 -> "2.0 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def number(value: object) -> str:
    """A value as people write it: 0.1, not 0.1000; the shortest text that means the same."""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def field_name(name: str) -> str:
    """A config field's name in words."""
    spelled = {"lr": "learning rate", "min_lr": "lowest learning rate"}
    return spelled.get(name, name.replace("_", " "))
