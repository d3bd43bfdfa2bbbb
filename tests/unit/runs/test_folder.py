"""The files of one run: read back as written, and what is done about damage and hostility."""

import os
import pickle

import numpy as np
import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.metrics import softmax, to_half
from mnist_core.evaluation.predict import load_model
from mnist_core.models import create_model_for, make_config
from mnist_core.runs.summary import Summary
from tests.stores import made_up_history

CONFIG = make_config("lenet5")


def done(store, config=CONFIG, **figures):
    figures = {"state": "done", "epochs_done": 50, "created": 1.0, **figures}
    return store.create(config, Summary(**figures))


def test_what_is_written_is_read_back(store):
    run = done(store, validation_accuracy=0.99, best_epoch=3, parent="x")
    assert run.config == CONFIG and run.id == CONFIG.id
    assert run.summary.validation_accuracy == 0.99
    history = made_up_history(3, 0.1 + 0.2)
    run.folder.write_history(history, [])
    assert store.get(run.id).history == history
    assert store.get(run.id).step_losses == []
    assert store.find(CONFIG).id == run.id
    assert store.find(CONFIG.replace(seed=2)) is None


class Hostile:
    def __reduce__(self):
        return os.system, ("touch " + os.environ["HOSTILE_MARK"],)


def test_a_hostile_weights_file_runs_nothing(store, tmp_path, monkeypatch):
    mark = tmp_path / "mark"
    monkeypatch.setenv("HOSTILE_MARK", str(mark))
    run = done(store)
    run.folder.write_summary(
        Summary("done", **run.folder.write_weights(1, pickle.dumps(Hostile())))
    )
    with pytest.raises(LabError, match=f"The weights of {run.id} do not fit lenet5"):
        load_model(store.get(run.id))
    assert not mark.exists()


def test_damaged_weights_are_noticed_by_their_checksum(store):
    run = done(store)
    fields = run.folder.write_weights(7, b"weights")
    run.folder.write_summary(Summary("done", **fields))
    assert store.get(run.id).weights() == b"weights"
    (run.path / fields["weights"]).write_bytes(b"weightz")
    with pytest.raises(LabError, match="its checksum is not the one"):
        store.get(run.id).weights()
    (run.path / fields["weights"]).unlink()
    with pytest.raises(NotFound, match="has no weights"):
        store.get(run.id).weights()


def test_weights_of_another_network_do_not_fit(store):
    from mnist_core.models import create_model
    from mnist_core.training.trainer import weights_to_bytes

    run = done(store)
    content = weights_to_bytes(create_model("medium"))
    run.folder.write_summary(Summary("done", **run.folder.write_weights(1, content)))
    with pytest.raises(LabError, match="do not fit lenet5"):
        load_model(store.get(run.id))


def test_the_first_kernels_are_those_that_see_the_image(store):
    from mnist_core.training.trainer import weights_to_bytes

    run, network = done(store), create_model_for(CONFIG)
    assert run.first_kernels() is None
    run.folder.write_summary(
        Summary("done", **run.folder.write_weights(1, weights_to_bytes(network)))
    )
    kernels = store.get(run.id).first_kernels()
    assert kernels.shape == (6, 5, 5) and kernels.dtype == np.float32
    assert (kernels == network.conv1.weight.detach().numpy()[:, 0]).all()
    run.folder.write_summary(Summary("done", **run.folder.write_weights(1, b"weights")))
    with pytest.raises(LabError, match="is damaged"):
        store.get(run.id).first_kernels()


@pytest.mark.parametrize("content", [b"epoch\nx\n", b"epoch,loss\n1\n", b"a\n1,2,3\n", b"\xff"])
def test_a_damaged_history_is_one_sentence(store, content):
    run = done(store)
    (run.path / "history.csv").write_bytes(content)
    with pytest.raises(LabError, match="history.csv is damaged"):
        _ = store.get(run.id).history


def test_logits_keep_every_prediction_in_half_precision(store):
    random = np.random.default_rng(0)
    logits = random.normal(0, 8, (5000, 10)).astype(np.float32)
    logits[:, 1] = logits[:, 0] + random.normal(0, 1e-4, 5000)  # many near ties
    halves = to_half(logits)
    assert halves.dtype == np.float16
    assert (halves.argmax(1) == logits.argmax(1)).all()
    assert np.abs(softmax(halves) - softmax(logits)).max() < 0.02
    run = done(store)
    run.folder.write_logits({"validation": halves, "test": halves})
    assert (store.get(run.id).logits()["test"] == halves).all()


def test_logits_beyond_half_precision_keep_their_order_and_stay_finite():
    logits = np.array([[1e9, 2e9, *[-1e9] * 8], [7e4, 6.9e4, *[0] * 8], [1, 2, *[0] * 8]])
    halves = to_half(logits)
    assert np.isfinite(halves).all() and halves.argmax(1).tolist() == [1, 0, 1]
    assert halves[2].tolist() == logits[2].tolist()


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"phase": 1}',
        b'{"phase": "training"}',
        b'{"phase": "downloading", "bytes": "x"}',
    ]
    + [
        b'{"phase": "training", "epoch": 1, "step": 0, "steps": 0, "images_per_second": 1, '
        b'"seconds_left": 1, "losses": []}'
    ],
)
def test_damaged_progress_is_no_progress(store, content):
    run = done(store)
    (run.path / "progress.json").write_bytes(content)
    assert run.folder.progress() == {}
