"""Pictures without smoothing: images of a data set in rows."""

import base64
import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core.data.idx import how_to_get
from mnist_core.formatting import percent
from mnist_core.imaging.tiles import png
from mnist_core.paths import data_root

STYLE = """<style>
.gallery {display: flex; flex-wrap: wrap; gap: 10px}
.gallery figure {margin: 0; width: 72px; text-align: center; font-size: 13px; line-height: 1.25;
 white-space: pre-line}
.gallery img {width: 72px; height: 72px; image-rendering: pixelated; border-radius: 4px;
 display: block; margin-bottom: 3px}
.gallery a {color: inherit; text-decoration: none}
.gallery .wrong {color: light-dark(#c2185b, #f08bb8); font-weight: 600}
</style>"""


def gallery(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    links: Sequence[str] = (),
    wrong: Sequence[bool] = (),
) -> None:
    """uint8 images, (H, W) grey or (H, W, 3), with a caption each; a link makes one a button."""
    figures = []
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        words = html.escape(caption)
        kind = ' class="wrong"' if wrong and wrong[place] else ""
        # The caption names the picture: an alternative text would have it read twice.
        inside = f'<img src="{_data_url(image)}" alt=""><span{kind}>{words}</span>'
        if links:
            inside = f'<a href="{html.escape(links[place])}" target="_self">{inside}</a>'
        figures.append(f"<figure>{inside}</figure>")
    st.html(f'{STYLE}<div class="gallery">{"".join(figures)}</div>')


def numbered(dataset: str, places: Sequence[int], captions: Sequence[str], more: str = "") -> None:
    """In place of test images that are not on this machine: their numbers and captions."""
    words = " · ".join(
        f"№ {place}: {caption}" for place, caption in zip(places, captions, strict=True)
    )
    how = how_to_get(dataset, data_root())
    st.caption(f"{words}.{more}", help=f"Numbers of test images. To see them: {how}")


def reading(true: str, read: str, confidence: float, between: str = "\n") -> str:
    """A caption in two lines: "5, read as 3", and "97 % sure"."""
    return f"{true}, read as {read}{between}{percent(confidence, 0)} sure"


def _data_url(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(png(np.ascontiguousarray(image))).decode()
