"""The personal set: what is saved comes back; a zip from a stranger does no harm."""

import csv
import io
import threading
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from mnist_core.data import drawing_files
from mnist_core.data.drawing_files import LONGEST_AUTHOR, checked_author, read_zip
from mnist_core.data.handwriting import Handwriting, people
from mnist_core.errors import InputError, LabError
from mnist_core.imaging.preprocess import INK, from_canvas
from mnist_core.imaging.tiles import png
from tests.drawing import draw


@pytest.fixture
def own(store):
    return Handwriting(store.root, "MNIST")


def ink(digit, **placing):
    return from_canvas(draw(digit, canvas=280, **placing))[INK].image


def zip_of(files, packed=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def one_row(name="a.png", label="3"):
    return f"file,label,saved\n{name},{label},\n"


def test_what_is_saved_comes_back(own, store):
    drawings = [ink(7, size=0.3, position=(0, 1)), ink(2)]
    for label, picture in zip((7, 2), drawings, strict=True):
        own.add(picture, label)
    again = Handwriting(store.root, "MNIST")
    samples = again.samples()
    assert [sample.label for sample in samples] == [7, 2]
    for image, digit, placing in zip(
        again.readable(samples)[1], (7, 2), ({"size": 0.3, "position": (0, 1)}, {}), strict=True
    ):
        assert np.array_equal(image, from_canvas(draw(digit, canvas=280, **placing)).final)
    assert Handwriting(store.root, "KMNIST").samples() == []


def test_it_is_a_plain_folder_of_pngs_and_a_csv(own, store):
    sample = own.add(ink(5), 5)
    folder = store.root / "handwriting" / "MNIST"
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    assert [(row["file"], row["label"]) for row in rows] == [(sample.file, "5")]
    assert np.array_equal(np.asarray(Image.open(folder / sample.file)), ink(5))
    assert store.list() == ([], [])  # no run, and nothing damaged


def test_a_garment_fills_the_image_and_28_pixels_stay_as_they_are(store):
    own = Handwriting(store.root, "FashionMNIST")
    own.add(ink(1), 1)
    ready = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    own.add(ready, 9)
    first, second = own.readable(own.samples())[1]
    assert np.array_equal(first, from_canvas(draw(1, canvas=280), fill=True).final)
    assert np.array_equal(second, ready)


def test_one_can_be_removed(own):
    samples = [own.add(ink(digit), digit) for digit in (1, 2, 3)]
    own.remove(samples[1].file)
    own.remove("../../etc/passwd")
    assert own.samples() == [samples[0], samples[2]]
    assert len(list(own.folder.glob("*.png"))) == 2


@pytest.mark.parametrize("label", [-1, 10, "3", 2.0, True, None])
def test_a_label_is_a_class(own, label):
    with pytest.raises(InputError, match="0 to 9"):
        own.add(ink(1), label)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((28, 28), np.uint8), np.ones((500, 20), np.uint8), np.ones((28, 28)), np.ones(9)],
)
def test_a_picture_is_ink(own, picture):
    with pytest.raises(InputError, match="A drawing"):
        own.add(picture, 1)
    assert not own.folder.exists()


def test_many_can_save_at_once(own, store):
    threads = [
        threading.Thread(target=Handwriting(store.root, "MNIST").add, args=(ink(1), label))
        for label in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sample.label for sample in own.samples()) == list(range(8))


def test_a_zip_brings_the_set_to_another_store(own, store, tmp_path):
    for digit in (4, 9):
        own.add(ink(digit), digit)
    other = Handwriting(tmp_path / "other", "MNIST")
    assert len(other.from_zip(own.to_zip())) == 2
    assert other.samples() == own.samples()
    assert np.array_equal(other.readable(other.samples())[1], own.readable(own.samples())[1])
    assert other.from_zip(own.to_zip()) == []  # it knows them already
    assert len(other.samples()) == 2


def test_digits_of_mnist_are_digits_of_qmnist(own, store):
    own.add(ink(4), 4)
    assert len(Handwriting(store.root, "QMNIST").from_zip(own.to_zip())) == 1
    with pytest.raises(InputError, match="drawings for 'MNIST'"):
        Handwriting(store.root, "KMNIST").from_zip(own.to_zip())


def test_a_file_of_the_same_name_gets_another(own):
    first = own.add(ink(4), 4)
    rows = f"file,label,saved\n{first.file},6,\n"
    assert len(own.from_zip(zip_of({"labels.csv": rows, first.file: png(ink(6))}))) == 1
    old, new = own.samples()
    assert old == first and new.label == 6 and new.file != first.file
    assert np.array_equal(own.image(old), from_canvas(draw(4, canvas=280)).final)


GOOD = png(np.full((28, 28), 9, np.uint8))
MANY = "file,label\n" + "".join(f"{number}.png,1\n" for number in range(3000))
WIDE = "file,label," + ",".join(map(str, range(40_000))) + "\n" + "x\n" * 100_000
HOSTILE = {
    "no bytes": b"",
    "no zip": b"%PDF-1.7 not a zip",
    "cut short": zip_of({"labels.csv": one_row(), "a.png": GOOD})[:-30],
    "no table": zip_of({"a.png": GOOD}),
    "no picture": zip_of({"labels.csv": one_row()}),
    "a path upwards": zip_of({"labels.csv": one_row("../a.png"), "../a.png": GOOD}),
    "an absolute path": zip_of({"labels.csv": one_row("/tmp/a.png"), "/tmp/a.png": GOOD}),
    "a folder": zip_of({"labels.csv": one_row("x/a.png"), "x/a.png": GOOD}),
    "a device of Windows": zip_of({"labels.csv": one_row("a.png:evil"), "a.png:evil": GOOD}),
    "another ending": zip_of({"labels.csv": one_row("a.py"), "a.py": GOOD}),
    "a label too high": zip_of({"labels.csv": one_row(label="10"), "a.png": GOOD}),
    "a label in words": zip_of({"labels.csv": one_row(label="three"), "a.png": GOOD}),
    "a digit of another script": zip_of({"labels.csv": one_row(label="٣"), "a.png": GOOD}),
    "a file twice": zip_of({"labels.csv": one_row() + "a.png,4,\n", "a.png": GOOD}),
    "no PNG": zip_of({"labels.csv": one_row(), "a.png": b"GIF89a"}),
    "an empty drawing": zip_of({"labels.csv": one_row(), "a.png": png(np.zeros((9, 9), np.uint8))}),
    "a large drawing": zip_of({"labels.csv": one_row(), "a.png": png(np.ones((9, 999), np.uint8))}),
    "a bomb for a table": zip_of({"labels.csv": b"file,label\n" * 10**7}),
    "a bomb for a picture": zip_of({"labels.csv": one_row(), "a.png": b"\0" * 10**8}),
    "too many rows": zip_of(
        {"labels.csv": "file,label\n" + "".join(f"{n}.png,1\n" for n in range(3000))}
    ),
    "not UTF-8": zip_of({"labels.csv": b"file,label\n\xff\xfe.png,3\n"}),
    "a bomb in bzip2": zip_of({"labels.csv": b"x" * 10**8}, zipfile.ZIP_BZIP2),
    "a bomb in LZMA": zip_of({"labels.csv": one_row(), "a.png": GOOD}, zipfile.ZIP_LZMA),
    "a wide table": zip_of({"labels.csv": WIDE}),
    "kana among digits": zip_of({"dataset.txt": "KMNIST", "labels.csv": one_row(), "a.png": GOOD}),
    "no data set": zip_of({"dataset.txt": "../x", "labels.csv": one_row(), "a.png": GOOD}),
    "a formula for an author": zip_of(
        {"labels.csv": 'file,label,author\na.png,3,"=HYPERLINK(""//evil"")"\n', "a.png": GOOD}
    ),
    "nulls": zip_of({"labels.csv": b"file,label\n\0.png,3\n"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_zip_is_one_sentence_and_changes_nothing(own, what):
    own.add(ink(1), 1)
    before = {path.name: path.read_bytes() for path in own.folder.iterdir()}
    began = time.process_time()
    with pytest.raises(InputError) as error:
        own.from_zip(HOSTILE[what])
    assert "\n" not in str(error.value) and len(str(error.value)) < 250
    assert {path.name: path.read_bytes() for path in own.folder.iterdir()} == before
    assert time.process_time() - began < 3


def test_a_zip_with_a_hundred_thousand_entries_is_not_even_listed():
    content = b"PK\x01\x02" * 100_000
    with pytest.raises(InputError, match="entries"):
        read_zip(content, "MNIST")


def test_a_zip_that_is_too_large_is_not_opened():
    with pytest.raises(InputError, match="bytes"):
        read_zip(b"\0" * (drawing_files.MAX_ZIP + 1), "MNIST")


def test_a_password_is_a_sentence():
    content = bytearray(zip_of({"labels.csv": one_row(), "a.png": GOOD}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(mark)
        content[place + at] |= 1  # "encrypted"
    with pytest.raises(InputError, match="no zip of drawings"):
        read_zip(bytes(content), "MNIST")


def test_the_set_has_an_end(own, monkeypatch):
    monkeypatch.setattr(drawing_files, "MAX_DRAWINGS", 2)
    for _ in range(2):
        own.add(ink(1), 1)
    with pytest.raises(InputError, match="full"):
        own.add(ink(1), 1)
    more = zip_of({"labels.csv": one_row(), "a.png": GOOD})
    with pytest.raises(InputError, match="more than 2"):
        own.from_zip(more)


def test_a_damaged_table_is_a_sentence_that_names_it(own):
    own.add(ink(1), 1)
    (own.folder / "labels.csv").write_text("file,label\n../x,99\n")
    with pytest.raises(LabError, match="labels.csv is damaged"):
        own.samples()


def test_the_next_drawing_sets_a_damaged_table_aside_and_keeps_what_can_be_read(own):
    first, second = (own.add(ink(digit), digit, "Anna") for digit in (1, 2))
    table = own.folder / "labels.csv"
    spoiled = table.read_bytes().replace(f"{second.file},2".encode(), b"../x.png,2") + b"\xff\xfe,9"
    table.write_bytes(spoiled)
    new = own.add(ink(3), 3)
    assert own.samples() == [first, new]
    (aside,) = own.folder.glob("damaged-*")
    assert aside.read_bytes() == spoiled


def test_an_author_and_an_owner_are_kept_and_only_the_author_is_in_the_zip(own, store, tmp_path):
    own.add(ink(4), 4, "  Anna   K. ", owner="abc123")
    (sample,) = own.samples()
    assert (sample.author, sample.owner) == ("Anna K.", "abc123")
    assert b"abc123" not in own.to_zip()
    other = Handwriting(tmp_path / "other", "MNIST")
    other.from_zip(own.to_zip(), owner="bob")
    assert [(one.author, one.owner) for one in other.samples()] == [("Anna K.", "bob")]
    forged = zip_of({"labels.csv": "file,label,owner\na.png,3,abc123\n", "a.png": GOOD})
    other.from_zip(forged)
    assert other.samples()[-1].owner == ""


@pytest.mark.parametrize("tag", ["", "Ä. Ö.", "सिंह", "7b-3", "O’Neil", "x" * LONGEST_AUTHOR])
def test_a_tag_is_kept_as_it_is(own, tag):
    assert checked_author(tag) == tag
    own.add(ink(1), 1, tag)
    assert own.samples()[0].author == tag


@pytest.mark.parametrize(
    "tag", ["=1+1", "+4", "-a", "@a", "'=1", "a\0b", "<b>", "a,b", "\u202e", "\ud800", "x" * 25, 7]
)
def test_no_tag_is_a_formula_or_markup(own, tag):
    with pytest.raises(InputError, match="allowed are up to 24 letters and numbers"):
        own.add(ink(1), 1, tag)
    assert not own.folder.exists()


def test_people_are_visitors_and_their_tags(own):
    given = [("a", "Anna"), ("a", "anna"), ("a", ""), ("b", ""), ("", "Cem"), ("", "Dana")]
    for owner, tag in given:
        own.add(ink(1), 1, tag, owner)
    assert people(own.samples()) == 4  # Anna, the second visitor, Cem and Dana
    assert people([]) == 0


def test_a_table_of_an_older_version_is_read(own):
    old = own.add(ink(5), 5)
    (own.folder / "labels.csv").write_text(f"file,label,saved\n{old.file},5,{old.saved}\n")
    assert own.samples() == [old]
    own.add(ink(6), 6, "Anna")
    assert [one.author for one in own.samples()] == ["", "Anna"]


def test_pictures_that_are_gone_or_damaged_are_left_out(own, store, tmp_path):
    gone, damaged, whole = (own.add(ink(digit), digit) for digit in (1, 2, 3))
    (own.folder / gone.file).unlink()
    (own.folder / damaged.file).write_bytes(b"no PNG")
    with pytest.raises(LabError, match="cannot be read"):
        own.image(gone)
    kept, images = own.readable(own.samples())
    assert kept == [whole] and np.array_equal(images[0], own.image(whole))
    other = Handwriting(tmp_path / "other", "MNIST")
    assert other.from_zip(own.to_zip()) == [whole.file] and other.samples() == [whole]
    assert own.readable([])[1].shape == (0, 28, 28)
