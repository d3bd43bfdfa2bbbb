"""Small pieces of HTML for the playground: bars, tables and grids of numbers, at once on screen.

A chart library takes longer to draw ten bars than all networks take to answer. Colours read on
light and on dark ground.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from mnist_core.charts.style import css_colour
from mnist_core.formatting import percent, short_number, true_minus

# Tables and grids of numbers, also inside the network's own part of the page.
PIECES = """
.play-table{border-collapse:collapse;width:100%;font-size:14px;line-height:20px}
.play-table th{font-weight:500;opacity:.8;text-align:left;padding:2px 8px 4px 0;font-size:13px}
.play-table td{padding:3px 7px 3px 0;border-top:1px solid rgba(122,135,148,.25);
 font-variant-numeric:tabular-nums}
.play-table tr:first-child td{border:0}
.play-table td:last-child,.play-table th:last-child{padding-right:0}
.play-table :is(td,th):nth-child(n+3){text-align:right;white-space:nowrap}
.play-ms{display:inline-block;min-width:2.6em}
.play-table tr.own td:first-child{font-weight:650}
.play-table .off{color:var(--play-off);font-weight:650}
.play-scroll{overflow-x:auto;max-width:100%}
.play-grid{border-collapse:separate;border-spacing:2px;font-size:11px;margin-top:3px;
 font-variant-numeric:tabular-nums}
.play-grid td{min-width:38px;height:22px;text-align:center;border-radius:3px;padding:0 2px}
.play-product{display:flex;flex-wrap:wrap;gap:6px 14px;font-size:13px}
.play-sign{font-weight:650}
.play-sum{width:330px;max-width:100%;margin-top:8px}
.play-inputs{min-width:min(420px,100%)}
.play-channels{display:flex;flex-wrap:wrap;align-items:center;gap:4px 6px;font-size:12px;
 margin-bottom:8px}
.play-channels button{font:inherit;color:inherit;background:none;padding:1px 6px;cursor:pointer;
 border:1px solid rgba(122,135,148,.5);border-radius:5px;font-variant-numeric:tabular-nums}
.play-channels button[aria-pressed=true]{border-color:currentColor;font-weight:650}
"""
# Once on the page, before any of the pieces.
STYLE = (
    f"<style>:root{{--play-top:{css_colour(0)};--play-off:{css_colour(1)}}}"
    + """
[data-testid=stLayoutWrapper]:has(>.st-key-play_answer){min-width:min(390px,86vw);max-width:640px}
[data-testid=stLayoutWrapper]:has(>.st-key-play_votes){min-width:226px}
[data-testid=stLayoutWrapper]:has(>.st-key-play_along_strip){min-width:min(480px,86vw)}
/* The canvas's own toolbar would cover what stands above it. */
[class*=st-key-play_canvas]:not(:focus-within){clip-path:inset(0)}
@media (max-width:640px){.play-label{display:none}}
.play-answer{display:flex;gap:16px;align-items:flex-start;min-height:288px}
.play-answer figure{margin:0;width:116px;flex:none;font-size:12px;line-height:16px}
.play-answer figure img{display:block;width:112px;height:112px;image-rendering:pixelated;
 border-radius:4px;margin-bottom:4px}
.play-answer .words{flex:1;min-width:0}
.play-answer h2{font-size:1.35rem;line-height:1.3;margin:0 0 2px;padding:0;font-weight:650;
 white-space:nowrap}
.play-answer h2.unlike{white-space:normal}
.play-answer p{font-size:13px;line-height:18px;margin:0 0 8px}
.play-note{font-size:14px;line-height:20px;margin:0;opacity:.85}
.play-answer .nobreak{white-space:nowrap}
.play-tag{font-weight:600;border-radius:5px;padding:0 5px;background:rgba(122,135,148,.22)}
.play-tag.good{background:rgba(34,160,90,.25)}.play-tag.bad{background:rgba(214,50,60,.25)}
.play-scale{display:grid;grid-template-columns:max-content 1fr 52px;gap:10px;align-items:center;
 font-size:14px;line-height:20px;margin-bottom:6px;font-variant-numeric:tabular-nums}
.play-scale .track{position:relative;height:16px;border-radius:3px;overflow:hidden;
 background:rgba(122,135,148,.2)}
.play-scale i{position:absolute;inset:0 auto 0 0;min-width:1px;background:#7a8794}
.play-scale .off i{background:var(--play-off)}
.play-scale u{position:absolute;inset:0 auto 0 50%;width:2px;background:currentColor}
.play-scale em{position:absolute;left:calc(50% + 8px);font-size:11px;
 line-height:16px;font-style:normal}
.play-scale .off em{display:none}
@media (max-width:640px){.play-scale em{display:none}.play-answer h2{white-space:normal}}
.play-bars{display:grid;grid-template-columns:minmax(1.2em,max-content) 1fr;gap:2px 10px;
 font-size:14px;line-height:20px}
.play-bars b{font-weight:inherit;text-align:right}
.play-bars .top{font-weight:650}
.play-bar{display:flex;align-items:center;gap:7px;min-width:0;white-space:nowrap}
.play-bar i{height:14px;border-radius:3px;background:#7a8794;min-width:1px;display:block}
.top .play-bar i,.play-bar.top i{background:var(--play-top)}
.play-votes{display:grid;grid-template-columns:max-content 1fr;gap:3px 10px;font-size:14px;
 line-height:20px;margin:4px 0}
.play-votes b{font-weight:650;text-align:right}
.play-votes div{letter-spacing:2px;color:var(--play-off);overflow-wrap:anywhere}
.play-votes .agreed{color:var(--play-top)}
.play-votes .none{color:#7a8794}
.play-votes :is(b.agreed,b.none){color:inherit}
.play-votes u{text-decoration-thickness:2px;text-underline-offset:3px}
.play-meter{display:flex;align-items:center;gap:6px;justify-content:flex-end}
.play-meter span{flex:1;height:7px;border-radius:3px;background:rgba(122,135,148,.25);
 min-width:26px;max-width:110px}
.play-meter b{font-weight:inherit;min-width:3.7em;text-align:right}
.play-meter span i{display:block;height:7px;border-radius:3px;background:var(--play-top)}
.play-figures{display:flex;flex-wrap:wrap;gap:14px}
.play-figures figure{margin:0}
.play-figures img{display:block;image-rendering:pixelated;max-width:100%}
.play-figures figcaption{font-size:13px;line-height:18px;margin-top:5px}
.play-nearest p{font-size:13px;line-height:18px;margin:0 0 2px}
.play-nearest .play-figures{gap:4px 8px}
.play-nearest figcaption{margin-top:0;line-height:16px;text-align:center}
.play-strip{border-collapse:separate;border-spacing:1px;font-size:12px;line-height:20px}
.play-strip th{font-weight:400;text-align:right;padding-right:8px;white-space:nowrap}
.play-strip td{width:22px;min-width:15px;padding:0;text-align:center;border-radius:2px}
.play-strip td.here{outline:2px solid currentColor;outline-offset:-1px}
.play-strip tr.axis td{opacity:.75;font-size:11px;border-radius:0}
"""
    + PIECES
    + "</style>"
)
# Classes are told apart by hue and by lightness, and from the eleventh on by their letter too.
CLASS_COLOURS = (
    *("#0d9488", "#f7b267", "#4c4a9e", "#e78ac3", "#4b8b1f"),
    *("#8ecae6", "#8a4b2a", "#ffd84d", "#b1283e", "#b9c0c9"),
)
INKS = ("#fff", "#000")  # of the text on a dark colour and on a light one: they alternate
# For what is wider than a phone: the Tab key gets there, and arrow keys scroll it.
SCROLLS = ' tabindex="0" role="region" aria-label="{}"'
NARROW = 7  # columns of numbers that fit on a phone
# What begins with a vowel when it is read aloud: numbers, single letters, words.
AN = re.compile(
    r"8|1[18](?!\d)|[aefhilmnorsx](?![^\W_])"
    r"|(?!eu|one|once|u(k|ni|ran|s[aeiu]|te))[aeiou][a-z]|h(eir|onest|our)",
    re.IGNORECASE,
)


def article(name: str) -> str:
    """The article before a class's name: an 8, an 18, an F, an umbrella; a U, a unicorn."""
    return "an" if AN.match(name) else "a"


def bars(classes: Sequence[str], probabilities: np.ndarray) -> str:
    """Horizontal bars in the order of the classes, each with its share."""
    top, rows = int(probabilities.argmax()), []
    for number, (name, share) in enumerate(zip(classes, probabilities.tolist(), strict=True)):
        mark = " top" if number == top else ""
        # A tenth of the width is left for the text behind the longest bar.
        rows.append(
            f'<b class="{mark}">{escape(name)}</b><span class="play-bar{mark}">'
            f'<i style="width:calc({share:.4f} * (100% - 62px))"></i>{percent(share, 1)}</span>'
        )
    return f'<div class="play-bars" role="img" aria-label="Probabilities">{"".join(rows)}</div>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], own: int | None = None, reach: str = ""
) -> str:
    """Rows of cells, as HTML; columns after the second are numbers, the row `own` stands out.

    One that is wider than a phone has a name, `reach`, by which the keyboard gets there.
    """
    heads = (f"<th>{escape(words)}</th>" if words else "<td></td>" for words in head)
    body = f"<tr>{''.join(heads)}</tr>"
    for place, cells in enumerate(rows):
        kind = ' class="own"' if place == own else ""
        body += f"<tr{kind}><td>{'</td><td>'.join(cells)}</td></tr>"
    by_keyboard = SCROLLS.format(escape(reach)) if reach else ""
    return f'<div class="play-scroll"{by_keyboard}><table class="play-table">{body}</table></div>'


def meter(share: float) -> str:
    """A percentage with a little bar before it."""
    return (
        f'<div class="play-meter"><span><i style="width:{100 * share:.1f}%"></i></span>'
        f"<b>{percent(share, 1)}</b></div>"
    )


def scale(name: str, share: float, beyond: str, is_beyond: bool, words: str) -> str:
    """A bar from 0 to 1 in line with `bars`; its upper half is named `beyond`."""
    said = percent(share, 1)
    return (
        f'<div class="play-scale" title="{escape(words)}"><span>{escape(name)}</span>'
        f'<span class="track{" off" * is_beyond}" role="img" '
        f'aria-label="{escape(f"{name}: {said}. {words}")}">'
        f'<i style="width:{100 * share:.1f}%"></i><u></u><em>{escape(beyond)}</em></span>'
        f"{said}</div>"
    )


def milliseconds(value: float) -> str:
    """A time in a box of one width: figures that change do not move the table."""
    return f'<span class="play-ms">{value:.1f}</span>'


def note(words: str) -> str:
    """Sentences, as HTML, in a paragraph of their own.

    Streamlit's captions are paler than people with weak eyes can read.
    """
    return f'<p class="play-note">{words}</p>'


def image_source(file: bytes) -> str:
    """A PNG as the source of an <img>."""
    return "data:image/png;base64," + base64.b64encode(file).decode()


def figure(file: bytes, width: int, caption: str, alt: str) -> str:
    """A PNG at its own size with a caption, which is HTML.

    Unlike st.image it has no button to enlarge it, which the tab key would stop at.
    """
    return (
        f'<figure style="max-width:{width}px"><img src="{image_source(file)}" width="{width}" '
        f'alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>'
    )


def figures(parts: Iterable[str]) -> str:
    """Figures in rows."""
    return f'<div class="play-figures">{"".join(parts)}</div>'


def dots(
    by_class: Mapping[str, Sequence[tuple[str, bool]]],
    agreed: str,
    away: Sequence[tuple[str, bool]] = (),
) -> str:
    """A row of dots for each class that a network chose; each is (the network's name, whether it
    is the chosen one, which is underlined). Last those of `away`, which chose none."""
    rows = [
        _dots(name, networks, "agreed" if name == agreed else "")
        for name, networks in by_class.items()
    ]
    rows += [_dots("none", away, "none")] if away else []
    return f'<div class="play-votes">{"".join(rows)}</div>'


def _dots(name: str, networks: Sequence[tuple[str, bool]], kind: str) -> str:
    marks = "".join(
        f'<{tag} title="{escape(title)}">●</{tag}>'
        for title, own in networks
        for tag in ("u" if own else "span",)
    )
    words = f"{name}: {', '.join(title for title, _ in networks)}"
    return (
        f'<b class="{kind}">{escape(name)}</b><div class="{kind}" role="img" '
        f'aria-label="{escape(words)}">{marks}</div>'
    )


def number_grid(values: np.ndarray) -> str:
    """(h, w) numbers as a table whose cells are warm where positive and cold where negative."""
    known = np.abs(values[~np.isnan(values)])
    largest = float(known.max(initial=0)) or 1.0
    rows = []
    for line in values.tolist():
        cells = "".join(
            f'<td style="background:{_tint(value / largest)}">{short_number(value)}</td>'
            if value == value
            else "<td></td>"  # NaN: nothing there
            for value in line
        )
        rows.append(f"<tr>{cells}</tr>")
    reach = SCROLLS.format("Numbers") if values.shape[1] > NARROW else ""
    return f'<div class="play-scroll"{reach}><table class="play-grid">{"".join(rows)}</table></div>'


def _tint(share: float) -> str:
    """A colour that lies over the page's own ground: cold below zero, warm above."""
    red, green, blue = (93, 180, 238) if share < 0 else (240, 150, 40)
    return f"rgba({red},{green},{blue},{0.5 * min(1.0, abs(share)):.2f})"


def strip(
    names: Sequence[str],
    answers: np.ndarray,
    values: Sequence[float],
    here: int,
    classes: Sequence[str],
) -> str:
    """A row for each network, a cell for each place: the class it answers, in the class's colour.

    `answers`: (networks, places) labels; `here`: the place at which the sliders stand.
    """
    rows = []
    for name, line in zip(names, answers.tolist(), strict=True):
        cells = "".join(_cell(label, place == here, classes) for place, label in enumerate(line))
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    ticks = "".join(
        f"<td>{true_minus(f'{value:g}') if place % 4 == len(values) // 2 % 4 else ''}</td>"
        for place, value in enumerate(values)
    )
    rows.append(f'<tr class="axis"><td></td>{ticks}</tr>')
    body = f'<table class="play-strip">{"".join(rows)}</table>'
    return f'<div class="play-scroll"{SCROLLS.format("Answers of each network")}>{body}</div>'


def _cell(label: int, here: bool, classes: Sequence[str]) -> str:
    ground, ink = CLASS_COLOURS[label % len(CLASS_COLOURS)], INKS[label % len(INKS)]
    kind, word = ' class="here"' if here else "", escape(classes[label])
    style = f"background:{ground};color:{ink}"
    return f'<td{kind} style="{style}" title="{word}">{escape(classes[label][0])}</td>'
