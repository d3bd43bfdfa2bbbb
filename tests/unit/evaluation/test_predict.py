"""Logits of a network: the same in batches and at once."""

import torch

from mnist_core.evaluation.predict import logits_of
from mnist_core.models import create_model, make_config


def test_logits_in_batches_are_logits_at_once(data):
    torch.manual_seed(0)
    model = create_model("medium")
    pixels = data.test.images[:, None]
    settings = make_config("medium")
    in_parts = logits_of(model, pixels, settings, batch_size=7)
    torch.testing.assert_close(in_parts, logits_of(model, pixels, settings))
    assert model.training  # as it was before
