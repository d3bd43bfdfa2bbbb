"""Where the parts of the Train page stand: controls at the left, all that they change beside them.

Streamlit has no option for a column that stays in place, nor for another order on a phone.
"""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

STYLE = """<style>
.st-key-train_layout{display:grid;grid-template-columns:300px minmax(0,1fr);
 grid-template-rows:auto 1fr;gap:.5rem 1.5rem;
 grid-template-areas:"controls result" "controls rest"}
.st-key-train_layout>:has(>.st-key-train_controls){grid-area:controls;position:sticky;top:4rem;
 align-self:start;max-height:calc(100dvh - 4.5rem);overflow-y:auto;padding:2px}
.st-key-train_layout>:has(>.st-key-train_result){grid-area:result}
.st-key-train_layout>:has(>.st-key-train_rest){grid-area:rest}
.st-key-train_controls [data-testid=stButtonGroup] button{
 min-height:2rem;min-width:1.6rem;padding:.1rem .34rem}
.st-key-train_result{gap:.4rem}
.st-key-train_status,.st-key-train_remark{min-height:2.5rem}
.st-key-train_map_best{margin:-.6rem 0}
.st-key-train_status [data-testid=stMarkdown] p{font-size:1.05rem}
@media (min-width:901px){
.st-key-train_status,.st-key-train_remark{flex-wrap:nowrap;height:2.5rem}
.st-key-train_remark>:first-child{flex:1 1 0;min-width:0}
.st-key-train_remark>:first-child p{line-height:1.2}
}
@media (max-width:900px){
.st-key-train_layout{display:flex;flex-direction:column;gap:1rem}
.st-key-train_layout>:has(>.st-key-train_result),.st-key-train_result,.st-key-train_result>*,
.st-key-train_result>*>*{display:contents}
.st-key-train_result>*>*>*{order:-1}
.st-key-train_result :has(>.st-key-train_status){position:sticky;top:3.75rem;z-index:5;
 background:light-dark(#fff,#171614)}
.st-key-train_layout>:has(>.st-key-train_controls){position:static;max-height:none}
.st-key-train_curves{flex-wrap:nowrap;overflow-x:auto;scroll-snap-type:x mandatory;
 position:relative}
.st-key-train_curves>*{flex:0 0 94%;scroll-snap-align:start}
.st-key-train_map{overflow-x:auto;position:relative}
.st-key-train_map>*{min-width:620px}
.st-key-search_wide{overflow-x:auto;position:relative}
.st-key-search_wide>*{min-width:820px}
:has(>[data-testid=stHtml]>.train-scrolls){position:absolute;min-width:0!important;z-index:1}
.train-scrolls:not(:focus){opacity:0}
}
@media (min-width:901px){:has(>[data-testid=stHtml]>.train-scrolls){display:none}}
</style>"""


@dataclass(frozen=True)
class Places:
    """The containers of the page. On a phone `result` comes first, then `controls`, then `rest`."""

    controls: DeltaGenerator
    result: DeltaGenerator
    rest: DeltaGenerator


def reachable(what: str) -> None:
    """A stop for the Tab key in a container that scrolls on a phone, where arrow keys scroll it."""
    st.html(f'<span class="train-scrolls" tabindex="0">{what}: arrow keys scroll sideways</span>')


def places() -> Places:
    st.html(STYLE)
    with st.container(key="train_layout"):
        return Places(
            st.container(key="train_controls"),
            st.container(key="train_result"),
            st.container(key="train_rest"),
        )
