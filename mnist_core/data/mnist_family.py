"""MNIST and the data sets made in its likeness: what is known of them without their files."""

from dataclasses import replace

from mnist_core.dataset_specs import DatasetSpec, register_dataset

DIGITS = tuple("0123456789")
GARMENTS = (
    *("T-shirt", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
KANA = ("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo")

MNIST = DatasetSpec(
    "MNIST",
    DIGITS,
    mean=0.1307,
    std=0.3081,
    about="handwritten digits",
    noun="digit",
    hint="Expects handwritten digits, 0 to 9: one, or several in a row.",
    downloadable=True,
)
for shipped in (
    MNIST,
    DatasetSpec(
        "FashionMNIST",
        GARMENTS,
        title="Fashion",
        mean=0.2860,
        std=0.3530,
        about="garments, from Zalando's catalogue",
        noun="garment",
        hint=f"Expects one garment, filled in, as in a catalogue: {', '.join(GARMENTS).lower()}.",
        filled=True,
        downloadable=True,
    ),
    DatasetSpec(  # by CODH, doi:10.20676/00000341, from NIJL's Kuzushiji Dataset
        "KMNIST",
        KANA,
        mean=0.1918,
        std=0.3483,
        about="cursive Japanese characters",
        noun="character",
        hint=f"Expects one of ten cursive Japanese characters: {', '.join(KANA)}.",
        filled=True,
        downloadable=True,
    ),
    replace(
        MNIST,
        name="QMNIST",
        about="digits, with a test set of 60,000 instead of 10,000",
        images=(60_000, 60_000),
        files=(
            *("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
            *("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
        ),
    ),
):
    register_dataset(shipped)
