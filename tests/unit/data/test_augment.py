"""Random changes of training images against independent implementations, and their bounds."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

from mnist_core.config import RunConfig
from mnist_core.data.augment import (
    SMOOTHNESS,
    affine,
    augment,
    cut_out,
    mirrored,
    random_field,
    sampled,
)

SIDE = 28
EVERYTHING = {"rotation": 20, "shift": 2, "zoom": 0.2, "shear": 15, "elastic": 1.5}
EVERYTHING |= {"flip": 0.5, "cutout": 7}


@pytest.fixture
def batch():
    """Two smooth images: sampling between their pixels is exact to a grey level or so."""
    noise = np.random.default_rng(0).uniform(0, 255, (2, SIDE, SIDE))
    smooth = np.stack([ndimage.gaussian_filter(image, 1.5, mode="wrap") for image in noise])
    return torch.from_numpy(smooth)[:, None].float()


def numbers(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_quarter_turns_and_whole_shifts_are_exact(batch):
    zero = numbers(0, 0)
    quarter = sampled(batch, affine(SIDE, numbers(90, 90), zero, zero), None)
    torch.testing.assert_close(quarter, batch.rot90(1, (2, 3)), atol=0.02, rtol=1e-3)
    moved = sampled(batch, affine(SIDE, zero, numbers(3, 0), numbers(0, -2)), None)
    torch.testing.assert_close(moved[0, :, :, 3:], batch[0, :, :, :-3], atol=0.02, rtol=1e-3)
    torch.testing.assert_close(moved[1, :, :-2], batch[1, :, 2:], atol=0.02, rtol=1e-3)
    assert moved[0, :, :, :2].abs().max() < 1e-3  # black comes in


def test_all_moves_together_are_those_of_scipy(batch):
    """Enlarged, slanted, turned, shifted: one after the other, as matrices in pixels."""
    size, slant, degrees, right, down = 1.2, 12.0, -25.0, 1.7, -2.3
    given = (numbers(value, value) for value in (degrees, right, down, size, slant))
    ours = sampled(batch, affine(SIDE, *given), None)
    turn, lean = np.radians(degrees), np.tan(np.radians(slant))
    # rows and columns, as scipy counts them; rows go down, so that the top is at negative ones
    slanted = np.array([[1, 0], [-lean, 1]])
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.linalg.inv(turned @ slanted * size)
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle - back @ (middle + [down, right])
    for image, result in zip(batch[:, 0].numpy(), ours[:, 0].numpy(), strict=True):
        theirs = ndimage.affine_transform(image, back, offset, order=1, mode="grid-constant")
        np.testing.assert_allclose(result, theirs, atol=0.05)


def test_pillow_turns_the_same_way(batch):
    """In the middle, where no corner comes in: its edges are cut off differently."""
    turned = sampled(batch, affine(SIDE, numbers(30, 30), numbers(0, 0), numbers(0, 0)), None)
    image = Image.fromarray(batch[0, 0].numpy(), mode="F").rotate(30, Image.Resampling.BILINEAR)
    np.testing.assert_allclose(turned[0, 0, 6:-6, 6:-6], np.asarray(image)[6:-6, 6:-6], atol=0.1)


def test_arrows_bend_an_image_as_scipy_does(batch):
    torch.manual_seed(1)
    field = random_field(2, SIDE, 2.0)
    ours = sampled(batch, None, field)
    places = np.indices((SIDE, SIDE)).astype(float)
    for number in range(2):
        right, down = np.moveaxis(field[number].numpy(), 2, 0)
        where = places + np.stack([down, right])
        theirs = ndimage.map_coordinates(
            batch[number, 0].numpy(), where, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(ours[number, 0].numpy(), theirs, atol=0.05)


def test_arrows_are_as_long_and_as_alike_as_smoothed_noise():
    """The correlation of white noise smoothed by a Gaussian is a Gaussian, wider by root 2."""
    torch.manual_seed(0)
    field = random_field(4000, SIDE, 1.5).double()
    deviation = (field**2).mean(0).sqrt()
    assert deviation.sub(1.5).abs().max() < 0.1  # everywhere, corners too
    assert abs(float((field[..., 0] * field[..., 1]).mean())) < 0.05
    for apart in (1, 3, 6):
        alike = (field[:, :-apart] * field[:, apart:]).mean() / 1.5**2
        assert float(alike) == pytest.approx(np.exp(-(apart**2) / (4 * SMOOTHNESS**2)), abs=0.03)
    assert random_field(3, SIDE, 0) is None


def test_mirroring_turns_about_so_many_images(batch):
    torch.manual_seed(0)
    images = batch[:1].repeat(1000, 1, 1, 1)
    changed = (mirrored(images, 0.3) != images).flatten(1).any(1)
    assert 250 < changed.sum() < 350
    assert np.array_equal(mirrored(batch, 1.0).numpy(), batch.numpy()[..., ::-1])


def test_a_square_is_cut_out_somewhere():
    torch.manual_seed(0)
    white = torch.full((500, 1, SIDE, SIDE), 255, dtype=torch.uint8)
    holes = (cut_out(white, 7) == 0)[:, 0]
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(holes.flatten(1).sum(1), rows * columns)  # a rectangle
    assert rows.max() == columns.max() == 7 and rows.min() >= 4  # less where it leaves the image
    assert holes.any(0).all() and cut_out(white, 0) is white


def test_what_the_config_leaves_out_draws_nothing():
    pixels = torch.randint(0, 256, (4, 1, SIDE, SIDE), dtype=torch.uint8)
    before = torch.get_rng_state()
    assert augment(pixels, RunConfig()) is pixels
    assert torch.equal(torch.get_rng_state(), before)


def test_rotation_and_shift_draw_what_they_always_drew(batch):
    """Spelled out as it was when the first runs shipped: their recipes must give the same bits."""
    config = RunConfig(rotation=10, shift=2)
    torch.manual_seed(7)
    ours = augment(batch, config)
    torch.manual_seed(7)
    draws = torch.rand(3, 2).mul_(2).sub_(1)
    angle = draws[0] * 10.0 * (np.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    x, y = draws[1] * 2.0 * (2 / SIDE), draws[2] * 2.0 * (2 / SIDE)
    rows = [cos, -sin, -cos * x + sin * y, sin, cos, -sin * x - cos * y]
    theta = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(batch.shape), align_corners=False)
    assert torch.equal(ours, F.grid_sample(batch, grid, align_corners=False))


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_field_changes_images_and_keeps_what_they_are(name, batch):
    torch.manual_seed(3)
    changed = augment(batch, RunConfig(**{name: EVERYTHING[name]}))
    assert changed.shape == batch.shape and not torch.equal(changed, batch)
    assert changed.min() >= 0 and changed.max() <= batch.max() + 0.01


def test_moves_stay_within_their_bounds():
    dot = torch.zeros(64, 1, SIDE, SIDE)
    dot[:, 0, 14, 14] = 255
    torch.manual_seed(0)
    moved = augment(dot, RunConfig(shift=3))
    rows = (moved.sum((1, 3)) * torch.arange(SIDE)).sum(1) / 255
    assert rows.min() >= 10.9 and rows.max() <= 17.1 and rows.std() > 1


def test_the_same_draws_give_the_same_bits(batch):
    config = RunConfig(**EVERYTHING)
    torch.manual_seed(5)
    first = augment(batch, config)
    torch.manual_seed(5)
    assert torch.equal(augment(batch, config), first)
