"""What a network makes of the image at hand, kept for the next look at the same image."""

import numpy as np

from mnist_core.evaluation.network import Network, one_thread
from mnist_core.inspection.feature_maps import feature_maps
from pages.components.shared.cache import cached, weights_of


@cached(lambda loaded, image: (weights_of(loaded.run), image.tobytes()))
def maps_of(loaded: Network, image: np.ndarray) -> dict[str, np.ndarray]:
    """The output of every stage for one (28, 28) image, kept for the next stroke."""
    import torch

    from mnist_core.data.transforms import to_input

    one_thread()
    given = to_input(torch.tensor(image)[None], loaded.run.config)
    return feature_maps(loaded.model, given)
