"""What people are told."""

import pytest

from mnist_core.errors import LabError
from mnist_core.formatting import (
    JOINER,
    number,
    number_range,
    percent_range,
    percent_spread,
    plain,
    sentence,
    setting,
    short_number,
    signed_number,
)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[a](https://b.example)", r"\[a\](https:|//b.example)"),
        ("![a](x) &amp;", r"!\[a\](x) \&amp;"),
        ("www.b.example a@b.example", r"www|.b.example a|@b.example"),
        ("`code` $x$ :red[a] :b:", r"\`code\` \$x\$ :|red\[a\] :|b:"),
        ("1. a\n\n# b\x1b\u202e", r"|1. a \# b"),
        ("lr: 'x' was given; allowed is 0 to 1", "lr: 'x' was given; allowed is 0 to 1"),
    ],
)
def test_words_from_outside_make_no_link(text, expected):
    """In a browser: tests/browser/test_links.py. The bar stands for what is not shown."""
    assert plain(text) == plain(LabError(text)) == expected.replace("|", JOINER)


def test_an_error_is_a_sentence():
    assert sentence(LabError("Do this.")) == "Do this."
    assert sentence(PermissionError(13, "denied", "a.png")) == "a.png: denied"
    assert sentence(OSError("cannot identify image file")) == "cannot identify image file"


def test_numbers_and_settings_as_people_write_them():
    values = (0.1, 1.0, 1e-05, 3, "SGD", 0.1 + 0.2)
    written = ["0.1", "1", "1e-05", "3", "SGD", "0.30000000000000004"]
    assert [number(value) for value in values] == written
    assert setting("lr", 0.1) == "learning rate 0.1"


def test_numbers_have_a_true_minus_sign():
    assert [short_number(value) for value in (0, 0.1371, -2.4142, -12.34)] == [
        "0",
        "0.137",
        "−2.414",
        "−12.3",
    ]
    assert (signed_number(0.5), signed_number(-1 / 3)) == ("+0.50000", "−0.33333")
    assert number_range(-3.14159, 2) == "−3.14 to 2"
    assert percent_range(0.9775, 0.9825) == "97.75–98.25"
    assert percent_spread(0.98, 0.0028) == "98.00 ± 0.28 %"
    assert percent_spread(0.98, None) == "98.00 %"
