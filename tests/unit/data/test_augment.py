"""Random moves of training images: exact where they can be, within their bounds."""

import torch

from mnist_core.data.augment import random_move, rotate_and_shift


def test_rotation_and_shift_against_exact_moves():
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(2, 1, 28, 28, generator=generator) * 255
    zero = torch.zeros(2)
    quarter = rotate_and_shift(batch, torch.full((2,), 90.0), zero, zero)
    torch.testing.assert_close(quarter, batch.rot90(1, (2, 3)), atol=0.02, rtol=1e-3)
    moved = rotate_and_shift(batch, zero, torch.tensor([3.0, 0.0]), torch.tensor([0.0, -2.0]))
    torch.testing.assert_close(moved[0, :, :, 3:], batch[0, :, :, :-3], atol=0.02, rtol=1e-3)
    torch.testing.assert_close(moved[1, :, :-2], batch[1, :, 2:], atol=0.02, rtol=1e-3)
    assert moved[0, :, :, :2].abs().max() < 1e-3  # black comes in


def test_random_moves_stay_within_their_bounds():
    dot = torch.zeros(64, 1, 28, 28)
    dot[:, 0, 14, 14] = 255
    torch.manual_seed(0)
    moved = random_move(dot, rotation=0, shift=3)
    rows = (moved.sum((1, 3)) * torch.arange(28)).sum(1) / 255
    assert rows.min() >= 10.9 and rows.max() <= 17.1 and rows.std() > 1
    assert random_move(dot, 0, 0) is dot
