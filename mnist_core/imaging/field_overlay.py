"""A receptive field drawn over the image: what a unit can see, and what it responds to.

Loads without torch.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.imaging.tiles import FRAME, enlarged

GLOW = np.array([255, 150, 30], dtype=float)  # of the measured field, over a grey digit
SHADE = 0.45  # brightness of the digit inside the box; outside it is darker still


def overlay_field(
    image: np.ndarray,
    box: Sequence[int],
    field: np.ndarray | None = None,
    factor: int = 8,
) -> np.ndarray:
    """(S·factor, S·factor, 3) uint8: the (S, S) digit in grey, the field glowing, the box framed.

    `box` is (top, left, bottom, right) in pixels of the image; the frame runs along the outer
    edge of these pixels, inside them. `field` is drawn on a root scale of its largest value.
    """
    top, left, bottom, right = box
    inside = np.zeros(image.shape, bool)
    inside[top:bottom, left:right] = True
    grey = np.asarray(image, float) * np.where(inside, SHADE, SHADE / 2)
    picture = np.repeat(grey[..., None], 3, axis=2)
    if field is not None and field.max() > 0:
        glow = np.sqrt(np.asarray(field, float) / field.max())[..., None]
        picture = picture * (1 - 0.8 * glow) + GLOW * 0.8 * glow
    large = Image.fromarray(enlarged(np.rint(picture).astype(np.uint8), factor))
    if bottom > top and right > left:
        corners = (left * factor, top * factor, right * factor - 1, bottom * factor - 1)
        ImageDraw.Draw(large).rectangle(corners, outline=FRAME, width=max(1, factor // 4))
    return np.asarray(large)
