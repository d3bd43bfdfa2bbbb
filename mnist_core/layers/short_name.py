"""A short name for layers, in the usual notation for convolutional networks: "8C5-P2-16C5-P2-10".

D. C. Cireşan, U. Meier, J. Schmidhuber: Multi-column deep neural networks for image classification.
CVPR 2012, arXiv:1202.2745.
"""

from mnist_core.layers.kinds import Convolution, GlobalAverage, Layer, Linear, Pooling, short
from mnist_core.layers.text import parse

LONGEST = 34  # characters
NOTATION = "8C5: a convolution with 8 channels and 5×5 kernels; P2: max pooling of 2×2; A2: average"
NOTATION += " pooling; G: global average; 10: a linear layer with 10 outputs; /2: stride 2"


def short_name(text: str) -> str:
    """The layers that have a size, without activations and the like; "…" stands for the middle.

    Different layers may have the same short name.
    """
    words = [word for word in map(_word, parse(text)) if word]
    whole = "-".join(words)
    if len(whole) <= LONGEST:
        return whole
    end = f"…-{words[-1]}"
    while len("-".join(words)) + len(end) > LONGEST:
        words.pop()
    return f"{'-'.join(words)}-{end}"


def _word(layer: Layer) -> str:
    if isinstance(layer, Convolution):
        stride = "" if layer.stride == (1, 1) else f"/{short(layer.stride)}"
        return f"{layer.channels}C{short(layer.kernel)}{stride}"
    if isinstance(layer, Pooling):
        stride = "" if layer.stride == layer.kernel else f"/{short(layer.stride)}"
        return f"{'A' if layer.average else 'P'}{short(layer.kernel)}{stride}"
    if isinstance(layer, Linear):
        return str(layer.outputs)
    return "G" if isinstance(layer, GlobalAverage) else ""
