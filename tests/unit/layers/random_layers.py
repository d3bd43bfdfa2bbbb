"""Random networks as text: sound ones, and ones with a single mistake."""

import random


def random_text(rng: random.Random) -> str:
    """Layers that fit each other on 28×28 images, for ten classes."""
    parts, least, maps = [], 28, 1
    for _ in range(rng.randint(0, 5)):
        if rng.random() < 0.6:
            maps = rng.randint(1, 6)
            kernel, padding = rng.choice((1, 3, 5)), rng.randint(0, 2)
            stride = rng.choice((1, 1, 2))
            if kernel > least or padding >= kernel:
                continue
            parts.append(
                f"conv {maps} {kernel}x{rng.randint(1, kernel)} stride {stride}"
                + (f" padding {padding}x0" if padding else "")
                + rng.choice(("", " no bias"))
            )
            least = (least - kernel) // stride + 1
        elif least >= 4:
            kernel, stride = rng.choice((2, 3)), rng.choice((1, 2, 3))
            padding = rng.choice(("", " padding 1"))
            parts.append(f"{rng.choice(('', 'average '))}pool {kernel} stride {stride}{padding}")
            least = (least - kernel) // stride + 1
        parts += rng.sample(["selu", "prelu", "batchnorm", "dropout 0.5"], rng.randint(0, 2))
        if least < 1:
            break
    parts += rng.choice((["flatten"], ["global average", "flatten"]))
    hidden = [f"linear {rng.randint(1, 9)}", "relu", "batchnorm"]
    return ", ".join([*parts, *rng.choice(([], hidden)), "linear 10"])


def broken_text(rng: random.Random) -> str:
    """A sound text with one mistake in it."""
    parts = random_text(rng).split(", ")
    mistakes = (
        lambda: [*parts[:-1], f"linear {rng.randint(11, 99)}"],
        lambda: [*parts, rng.choice(("conv 3 3x3", "pool 2", "global average", "flatten"))],
        lambda: [f"conv {rng.choice((0, -1, 'x', 1e9, ''))} 3x3", *parts],
        lambda: [f"conv 8 {rng.randint(29, 64)}x5", *parts],
        lambda: ["conv 8 3x3 stride 0", *parts],
        lambda: [f"pool {rng.choice((2, 3))} padding {rng.randint(2, 9)}", *parts],
        lambda: ["conv 8 2x2 padding same", *parts],
        lambda: [rng.choice(("convv 8", "rel u", "lin 4", "🙂", "flat", "dropout 1")), *parts],
        lambda: ["conv 8 3x3 stride 2 stride 2", *parts],
        lambda: ["linear 10", *parts],
        lambda: ["relu 3", *parts],
        lambda: ["pool", *parts],
        lambda: [*parts, *["relu"] * 64],
        lambda: ["conv 1024 3x3 padding 1", "conv 1024 3x3 padding 1", "relu", *parts],
        lambda: [],
    )
    return ", ".join(rng.choice(mistakes)())
