"""The data sets: reading, splitting, scaling; and every way in which a file can be wrong."""

import dataclasses
import gzip
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from mnist_core.config import RunConfig
from mnist_core.data import datasets, idx, transforms
from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.errors import LabError
from tests.idx_data import idx_bytes, write_dataset


@pytest.mark.parametrize("name", dataset_names())
def test_loads_each_data_set(name, tmp_path):
    data = datasets.load(name, write_dataset(tmp_path, name), download=False)
    assert [len(data.train), len(data.validation), len(data.test)] == [200, 40, 60]
    assert data.train.images.dtype == torch.uint8
    assert data.train.images.shape[1:] == (28, 28)
    assert data.test.labels.tolist() == [i % data.spec.num_classes for i in range(60)]


def test_the_split_is_the_same_for_every_run_and_loses_nothing(small_data):
    first, second = (datasets.load("MNIST", small_data) for _ in range(2))
    assert torch.equal(first.validation.images, second.validation.images)
    together = torch.cat([first.train.images, first.validation.images]).flatten(1)
    assert len({bytes(row.numpy()) for row in together}) == 240


def test_the_split_never_moves():
    # Measured once: another permutation would make every published figure another one.
    assert idx.split_indices(60_000)[1][:5].tolist() == [4498, 25515, 48515, 46092, 56827]
    train, validation = idx.split_indices(60)
    assert sorted([*train, *validation]) == list(range(60)) and len(validation) == 10


def test_fingerprint_tells_the_files_apart(tmp_path, small_data):
    other = write_dataset(tmp_path, train=120)
    assert (
        datasets.load("MNIST", small_data).fingerprint
        == datasets.load("MNIST", small_data).fingerprint
    )
    assert (
        datasets.load("MNIST", other).fingerprint != datasets.load("MNIST", small_data).fingerprint
    )


def images(count=12, side=28):
    return idx_bytes(np.zeros((count, side, side), np.uint8))


DAMAGE = {
    "empty": (lambda old: b"", "is cut short: 0 bytes"),
    "half a header": (lambda old: old[:9], "is cut short: 9 bytes"),
    "truncated": (lambda old: old[:-100], "is cut short: 9,324 of 9,424"),
    "too long": (lambda old: old + b"x", "is too long"),
    "compressed": (gzip.compress, "is compressed (gzip), but its name"),
    "labels": (lambda old: idx_bytes(np.zeros(12, np.uint8)), "is not an IDX file of this kind"),
    "text": (lambda old: b"<html>not found</html>", "is not an IDX file of this kind"),
    "other size": (lambda old: images(side=32), "holds images of 32×32 pixels"),
    "other count": (lambda old: images(count=11), "11 training images but 12 labels"),
    "huge claim": (lambda old: old[:4] + b"\xff" * 4 + old[8:], "is cut short"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_wrong_file_is_named_with_what_is_wrong_and_what_to_do(case, tmp_path):
    damage, words = DAMAGE[case]
    path = write_dataset(tmp_path, train=12) / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LabError) as error:
        datasets.load("MNIST", tmp_path, download=False)
    text = str(error.value)
    assert words in text
    assert str(path.parent) in text and "delete" in text and "\n" not in text


@pytest.mark.parametrize("kaggle", (False, True))
@pytest.mark.parametrize("packed", (False, True))
def test_files_are_read_as_they_were_downloaded(kaggle, packed, tmp_path, small_data):
    published = small_data / "MNIST" / "raw"
    for path in published.iterdir():
        name = path.name.replace("-idx", ".idx") if kaggle else path.name
        place = tmp_path if kaggle else tmp_path / "MNIST" / "raw"
        place.mkdir(parents=True, exist_ok=True)
        content = gzip.compress(path.read_bytes()) if packed else path.read_bytes()
        (place / (f"{name}.gz" if packed else name)).write_bytes(content)
    data = datasets.load("MNIST", tmp_path, download=False)
    same = datasets.load("MNIST", small_data)
    assert data.fingerprint == same.fingerprint
    assert (data.train.images == same.train.images).all()


@pytest.mark.parametrize(
    "damage",
    (
        lambda content: gzip.compress(content)[:-20],
        lambda content: b"\x1f\x8bnothing",
        lambda content: gzip.compress(content[:7]),
        lambda content: gzip.compress(content[:4] + b"\xff" * 4 + content[8:]),
    ),
)
def test_a_damaged_gz_file_is_one_sentence(damage, tmp_path):
    path = write_dataset(tmp_path, train=12) / "MNIST" / "raw" / "train-images-idx3-ubyte"
    (path.parent / f"{path.name}.gz").write_bytes(damage(path.read_bytes()))
    path.unlink()
    with pytest.raises(LabError, match=r"idx3-ubyte\.gz .*") as error:
        datasets.load("MNIST", tmp_path, download=False)
    assert "\n" not in str(error.value)


def test_an_older_format_beside_the_files_is_not_read(tmp_path):
    write_dataset(tmp_path, train=12)
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir()
    black = (torch.zeros(12, 28, 28, dtype=torch.uint8), torch.zeros(12, dtype=torch.long))
    for name in ("training.pt", "test.pt"):
        torch.save(black, processed / name)
    data = datasets.load("MNIST", tmp_path, download=False)
    assert data.train.images.max() > 0 and len(data.test) == 60


def test_labels_out_of_range_are_refused(tmp_path):
    path = write_dataset(tmp_path, train=12) / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.full(12, 10, np.uint8)))
    with pytest.raises(LabError, match="labels go from 10 to 10; 0 to 9 is allowed"):
        datasets.load("MNIST", tmp_path, download=False)


def test_a_set_that_cannot_be_downloaded_says_so(tmp_path, monkeypatch):
    spec = dataclasses.replace(dataset_spec("MNIST"), downloadable=False)
    monkeypatch.setattr(datasets, "dataset_spec", lambda name: spec)
    with pytest.raises(LabError, match="MNIST is not in .* cannot be downloaded; put its files"):
        datasets.load("MNIST", tmp_path)


def test_a_missing_set_says_where_and_how_to_get_it(tmp_path):
    with pytest.raises(LabError, match="MNIST is not in .*missing: train-images-idx3-ubyte, train"):
        datasets.load("MNIST", tmp_path, download=False)


def refuse(*arguments, **options):
    raise RuntimeError("Error downloading x:\nTried y, got:\n<urlopen error no route>")


def test_a_failed_download_is_one_sentence(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "download", refuse)
    with pytest.raises(LabError, match="could not be downloaded .*no route.*; connect to the") as e:
        datasets.load("MNIST", tmp_path / "new")
    assert "\n" not in str(e.value)


def test_a_download_reports_its_bytes(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    def fetch(self):
        write_dataset(tmp_path, train=12)
        assert heard_one.wait(300)

    heard, heard_one = [], threading.Event()
    monkeypatch.setattr(MNIST, "download", fetch)
    data = datasets.load(
        "MNIST", tmp_path, on_download=lambda size: (heard.append(size), heard_one.set())
    )
    assert heard[0] > 9000 and len(data.train) == 10


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LabError, match="MNIST could not be downloaded|cannot be written"):
        datasets.load("MNIST", tmp_path / "file" / "below")


def test_input_sizes_and_scalings_against_pillow():
    picture = (np.add.outer(np.arange(28), np.arange(28)) * 4).astype(np.uint8)
    batch = torch.from_numpy(picture)[None]
    resized = transforms.resize(batch, 32, "resize")[0, 0].numpy()
    oracle = np.asarray(Image.fromarray(picture).resize((32, 32), Image.BILINEAR))
    assert np.abs(resized.astype(int) - oracle).max() <= 1
    padded = transforms.resize(batch, 32, "pad")[0, 0]
    assert torch.equal(padded[2:30, 2:30], batch[0]) and padded.sum() == batch.sum()
    assert transforms.resize(batch, 28, "pad").shape == (1, 1, 28, 28)


def test_scaling_to_mean_and_deviation_and_to_plus_minus_one():
    pixels = torch.tensor([[0, 255]], dtype=torch.uint8)
    symmetric = transforms.normalise(pixels, dataset_spec("MNIST"), "symmetric")
    assert symmetric.flatten().tolist() == pytest.approx([-1, 1])
    standard = transforms.normalise(pixels, dataset_spec("KMNIST"), "standard")
    assert standard.flatten().tolist() == pytest.approx([-0.1918 / 0.3483, (1 - 0.1918) / 0.3483])


def test_to_input_follows_the_config():
    config = RunConfig(input_size=32, fit="resize", scaling="symmetric")
    batch = transforms.to_input(torch.zeros(3, 28, 28, dtype=torch.uint8), config)
    assert batch.shape == (3, 1, 32, 32) and batch.dtype == torch.float32 and batch.max() == -1


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_real_data_have_the_sizes_and_statistics_of_their_spec(name, real_data):
    data = real_data(name)
    assert [len(data.train), len(data.validation), len(data.test)] == [50_000, 10_000, 10_000]
    pixels = torch.cat([data.train.images, data.validation.images]).double() / 255
    # 0.002: a copy of MNIST whose grey levels are one too low is about 0.001 off
    assert float(pixels.mean()) == pytest.approx(data.spec.mean, abs=0.002)
    assert float(pixels.std()) == pytest.approx(data.spec.std, abs=0.002)


def test_the_file_names_are_torchvisions():
    from torchvision import datasets as theirs

    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        stems = [file.removesuffix(".gz") for file, _ in getattr(theirs, name).resources]
        assert sorted(stems) == sorted(dataset_spec(name).files)
    urls = [url for part in ("train", "test") for url, _ in theirs.QMNIST.resources[part]]
    stems = [url.split("/")[-1].removesuffix(".gz") for url in urls]
    assert stems == list(dataset_spec("QMNIST").files)
