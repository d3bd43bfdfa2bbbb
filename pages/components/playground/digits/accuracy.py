"""Accuracies with their intervals on one line each: MNIST's test images beside our drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from mnist_core.evaluation.scores import Score
from mnist_core.formatting import percent

STYLE = """<style>
.digits{border-collapse:collapse;width:100%;max-width:760px;font-size:14px;line-height:20px}
.digits th{font-weight:500;font-size:13px;opacity:.85;text-align:right;padding:2px 0 4px 10px}
.digits :is(th,td):first-child{text-align:left;padding-left:0}
.digits td{padding:4px 0 4px 10px;border-top:1px solid rgba(122,135,148,.25);text-align:right;
 white-space:nowrap;font-variant-numeric:tabular-nums}
.digits td.line{width:52%;min-width:84px;padding-right:8px}
.digits tr.own td:first-child{font-weight:650}
.digits small{opacity:.75;font-size:12px;margin-left:5px}
.digits .line div{position:relative;height:24px;
 background:linear-gradient(90deg,rgba(122,135,148,.28) 1px,transparent 1px) 0/25% 100%;
 border-right:1px solid rgba(122,135,148,.28)}
.digits .line :is(i,b){position:absolute;display:block}
.digits .line i{height:4px;border-radius:2px;margin-top:-2px}
.digits .line b{width:10px;height:10px;margin:-5px 0 0 -5px}
.digits .first{top:7px}.digits .second{top:17px}
.digits i.first{background:rgba(122,135,148,.6)}.digits b.first{background:#7a8794}
.digits i.second{background:color-mix(in srgb,var(--play-top) 45%,transparent)}
.digits b.second{background:var(--play-top);border-radius:50%}
.digits tr.axis td{border:0;padding-top:0;font-size:11px;opacity:.8}
.digits tr.axis div{display:flex;justify-content:space-between;height:auto;background:none;border:0}
.digits-key{font-size:13px;line-height:20px;margin:0 0 2px}
.digits-key span{margin-right:16px;white-space:nowrap}
.digits-key b{display:inline-block;width:10px;height:10px;margin-right:6px;background:#7a8794}
.digits-key b+b,.digits-key .second b{background:var(--play-top);border-radius:50%}
@media (max-width:640px){.digits .wide{display:none}.digits small{display:block;margin:0}}
</style>"""


@dataclass(frozen=True)
class Row:
    """One network: two scores, of which either may be missing, and a further cell."""

    title: str
    first: Score | None
    second: Score | None
    more: str = ""
    own: bool = False


def table(
    names: tuple[str, str], rows: Sequence[Row], more: str = "", first: str = "Network"
) -> str:
    """HTML: for each network a line with both scores, and the figures. `names`: of the scores;
    `more` and `first`: the headings of the further column and of the first one."""
    lowest = _lowest(rows)
    heads = "".join(f"<th>{escape(name)}</th>" for name in (*names, *([more] if more else [])))
    body = "".join(_row(row, names, lowest, bool(more)) for row in rows)
    ends = "".join(f"<span>{percent(place, 0)}</span>" for place in (lowest, (1 + lowest) / 2, 1))
    legend = (
        f'<p class="digits-key"><span><b></b>{escape(names[0])}</span>'
        f'<span class="second"><b></b>{escape(names[1])}</span>'
        "<span>bar: 95 % interval</span></p>"
    )
    top = f"<tr><th>{escape(first)}</th><th></th>{heads}</tr>"
    return (
        f'{STYLE}{legend}<table class="digits">{top}{body}'
        f'<tr class="axis"><td></td><td class="line"><div aria-hidden="true">{ends}</div></td></tr>'
        "</table>"
    )


def _lowest(rows: Sequence[Row]) -> float:
    """Where the lines begin: a multiple of 10 %, below every interval."""
    scores = [score for row in rows for score in (row.first, row.second) if score]
    low = min((score.interval.low for score in scores), default=0.0)
    return math.floor(min(low, 0.8) * 10) / 10


def _row(row: Row, names: tuple[str, str], lowest: float, has_more: bool) -> str:
    kinds = ("first", "second")
    scores = (row.first, row.second)
    marks = "".join(_mark(s, kind, lowest) for s, kind in zip(scores, kinds, strict=True) if s)
    said = ", ".join(f"{n} {_words(s)}" for n, s in zip(names, scores, strict=True) if s)
    cells = "".join(f"<td>{_figure(score)}</td>" for score in scores)
    cells += f"<td>{row.more}</td>" if has_more else ""
    return (
        f"<tr{' class=own' * row.own}><td>{escape(row.title)}</td>"
        f'<td class="line"><div role="img" aria-label="{escape(said)}">{marks}</div></td>'
        f"{cells}</tr>"
    )


def _mark(score: Score, kind: str, lowest: float) -> str:
    def place(share: float) -> float:
        return 100 * (share - lowest) / (1 - lowest)

    low, high = place(score.interval.low), place(score.interval.high)
    return (
        f'<i class="{kind}" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        f'<b class="{kind}" style="left:{place(score.share):.2f}%"></b>'
    )


def _words(score: Score) -> str:
    ends = score.interval
    between = f"{percent(ends.low, 1)} to {percent(ends.high, 1)}"
    return f"{score.right:,} of {score.count:,}, {percent(score.share, 1)}, between {between}"


def _figure(score: Score | None) -> str:
    if score is None:
        return "–"
    ends = score.interval
    digits = 1 if score.count >= 1000 else 0
    interval = f"{100 * ends.low:.{digits}f}–{100 * ends.high:.{digits}f}"
    return f"{percent(score.share, 1)}<small>{interval}</small>"
