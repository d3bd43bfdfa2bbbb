"""Workers: every trial is done once, whatever becomes of the processes that began them."""

import os
from collections import Counter

import pytest
from optuna.trial import TrialState

from mnist_core.errors import InputError, LabError
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from mnist_core.sweeps import claim
from mnist_core.sweeps import worker as workers
from mnist_core.sweeps.collect import collect
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.storage import JOURNAL, open_storage, without_credentials
from mnist_core.sweeps.study import find_study, make_study
from mnist_core.sweeps.wrapped import WrappedStorage
from tests.stores import DEAD
from tests.unit.sweeps.studies import SPACE, Training, accuracy, study_in, worker


def states(study):
    return [trial.state.name for trial in study.trials()]


def test_each_trial_is_done_once_and_a_second_call_goes_on(store):
    study, training = study_in(store, trials=4), Training()
    assert worker(study, store, training).work() == 4
    assert states(study) == ["COMPLETE"] * 4 and len(set(training.trained)) == 4
    assert study.status()["trials_done"] == 4
    assert worker(study, store, training).work() == 0
    longer = study_in(store, trials=6)
    assert worker(longer, store, training).work() == 2
    assert len(training.trained) == 6


def test_the_best_trial_is_the_one_with_the_highest_validation_accuracy(store):
    study = study_in(store, trials=8)
    worker(study, store).work()
    configs = [study.plan.configs(trial.params)[0] for trial in study.trials()]
    best = max(configs, key=lambda config: accuracy(config, 3))
    found = study.status()["best"]
    assert (found["id"], found["validation_accuracy"]) == (best.id, accuracy(best, 3))


def test_a_setting_that_is_known_is_not_trained_again(store):
    space = {"lr": "0.1,0.2", "epochs": 2}
    study = study_in(store, trials=2, space=space, sampler="grid")
    first = Training()
    worker(study, store, first).work()
    again = study_in(store, name="again", trials=2, space=space, sampler="grid")
    collect(study, store, Keeper(study, artifact_store(str(store.root / "weights"))))
    second = Training()
    assert worker(again, store, second).work() == 2
    assert len(first.trained) == 2 and second.trained == []
    assert [t.values for t in again.best_first()] == [t.values for t in study.best_first()]


class Counting(WrappedStorage):
    """Counts the calls of each method."""

    def __init__(self, inner):
        super().__init__(inner)
        self.calls = Counter()

    def _call(self, name, *args, **kwargs):
        self.calls[name] += 1
        return super()._call(name, *args, **kwargs)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_trial_is_made_in_one_call_with_all_its_values(store, sampler):
    plan = Plan(read_space(SPACE, "grid"), sampler, "none")
    storage = Counting(open_storage(str(store.root / JOURNAL)))
    study = make_study(storage, "", "lr", plan, 14)
    storage.calls.clear()
    assert worker(study, store).work() == 14
    assert storage.calls["create_new_trial"] == 14 and not storage.calls["set_trial_param"]
    assert storage.calls["set_trial_user_attr"] <= 2 * 14  # curves, and where the weights are
    assert sum(storage.calls.values()) <= 14 * 14
    assert all(set(trial.params) == {"lr", "batch_size"} for trial in study.trials())


def test_a_trial_of_a_process_that_was_killed_is_tried_again_with_its_values(store):
    study = study_in(store, trials=3)
    lost = study.optuna_study.ask()
    value = lost.suggest_float("lr", 1e-3, 1, log=True)
    lost.report(0.3, 1)
    boot = Process.of(os.getpid()).boot
    lost.set_user_attr("worker", {"process": {**vars(DEAD), "boot": boot}, "token": "x"})
    worker(study, store).work()
    assert states(study) == ["COMPLETE"] * 3
    assert study.trials()[0].params["lr"] == value


def test_a_trial_without_signs_of_life_is_given_to_another_worker(store, monkeypatch):
    """As of a machine that was switched off; when it comes back, what it finished counts not."""
    monkeypatch.setattr(claim, "STALE", 0.0)
    study, elsewhere = study_in(store, trials=1), RunStore(store.root / "elsewhere")

    def while_it_sleeps(config, epoch):
        if epoch == 2:
            other = find_study(open_storage(str(store.root / JOURNAL)), "", "lr")
            watch = claim.Watch(other)
            watch.requeue_stale(other.trials())
            assert worker(other, elsewhere).work() == 1

    slept = Training(while_it_sleeps)
    assert worker(study, store, slept).work() == 0
    assert states(study) == ["COMPLETE"] and len(study.trials()[0].user_attrs["runs"]) == 1


def test_a_worker_that_is_stopped_gives_its_trial_back(store):
    study, seen = study_in(store, trials=2), []
    training = Training(lambda config, epoch: seen.append(epoch))
    assert worker(study, store, training, stopping=lambda: len(seen) >= 5).work() == 1
    assert states(study) == ["COMPLETE", "WAITING"]
    assert worker(study, store, training).work() == 1
    assert seen == [1, 2, 3, 1, 2, 3]  # it went on where it was stopped


def test_workers_that_come_at_once_do_no_more_trials_than_are_wanted(store, monkeypatch):
    study = study_in(store, trials=1)
    slow = worker(study, store)
    make = slow.drafts.make

    def after_another(*given):
        study.optuna_study.tell(study.optuna_study.ask(), 0.5)
        return make(*given)

    monkeypatch.setattr(slow.drafts, "make", after_another)
    assert slow.work() == 0
    assert states(study) == ["COMPLETE"] and study.status()["trials_failed"] == 0


@pytest.mark.parametrize("pruner", ["percentile", "median"])
def test_hopeless_trials_are_pruned(store, pruner):
    space = {"lr": "0.001,0.1", "epochs": 4}
    study = study_in(store, trials=12, space=space, pruner=pruner)
    training = Training()
    for lr in [0.1] * 6 + [0.001] * 2:
        study.optuna_study.enqueue_trial({"lr": lr})
    worker(study, store, training).work()
    found = [(t.params["lr"], t.state) for t in study.trials()[:8]]
    assert found[0] == (0.1, TrialState.COMPLETE) and found[-1] == (0.001, TrialState.PRUNED)
    assert training.trained.count(training.trained[0]) == 1


def test_seeds_are_averaged_and_compared(store):
    pytest.importorskip("scipy")
    study = study_in(store, trials=2, seeds=3, pruner="wilcoxon")
    training = Training()
    worker(study, store, training).work()
    trial = study.trials()[0]
    assert len(trial.user_attrs["runs"]) == 3 and len(set(training.trained)) == 6
    assert sorted(trial.intermediate_values) == [0, 1, 2]


def test_two_objectives(store):
    study = study_in(store, trials=2, pruner="none", minimise="parameters")
    worker(study, store).work()
    assert [len(trial.values) for trial in study.trials()] == [2, 2]
    assert study.status()["best"]


def test_a_machine_that_fails_each_trial_gives_up(store):
    def broken(config, epoch):
        raise LabError("The disk is full.")

    study = study_in(store, trials=9)
    with pytest.raises(LabError, match="disk"):
        worker(study, store, Training(broken)).work()
    assert study.status()["trials_failed"] == workers.FAILURES


def test_other_data_and_another_version_are_refused(store, lab):
    study = study_in(store, space={"lr": "0.1..1", "epochs": 1})
    workers.check_data(study)
    workers.check_data(study)
    study.keep("data:MNIST", "0" * 16)
    with pytest.raises(LabError, match="differs"):
        workers.check_data(study)
    study.keep("version", "0.0.1")
    with pytest.raises(LabError, match="version"):
        worker(study, store)


def test_a_name_has_one_plan(store):
    study_in(store)
    with pytest.raises(InputError, match="another space"):
        study_in(store, space={"lr": "0.1..1"})


def test_what_comes_home(store, tmp_path):
    study, away = study_in(store, trials=12, pruner="none"), RunStore(tmp_path / "away")
    worker(study, away).work()
    keeper = Keeper(study, artifact_store(str(away.root / "weights")))
    brought = collect(study, store, keeper)
    assert brought == {"runs": 12, "with_weights": 10}
    assert len(read_bundle(store.sweep_path("lr")).runs) == 12
    best = study.plan.configs(study.best_first()[0].params)[0]
    assert store.get(best.id).weights() == best.id.encode()
    assert [row["epoch"] for row in store.get(best.id).history] == [1, 2, 3]
    worst = study.plan.configs(study.best_first()[-1].params)[0]
    assert not store.get(worst.id).has_weights and len(store.get(worst.id).history) == 3
    assert len(list((away.root / "weights").iterdir())) == 10
    assert collect(study, store, keeper) == brought


def test_a_journal_that_was_cut_short_loses_only_its_last_line(store):
    path = store.root / JOURNAL
    study_in(store, trials=5)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"worker')
    study_in(store, name="other")
    study_in(store, name="third")
    assert path.read_bytes().startswith(whole + b'{"op_code":0')
    assert find_study(open_storage(str(path)), "", "lr").wanted == 5


@pytest.mark.parametrize(
    "url, shown",
    [
        (
            "postgresql+psycopg://me:secret@db:5432/lab?password=secret",
            "postgresql+psycopg://db:5432/lab",
        ),
        ("grpc://me:secret@host:1", "grpc://host:1"),
        ("/a/b@c.journal", "/a/b@c.journal"),
    ],
)
def test_credentials_are_not_shown(url, shown):
    assert without_credentials(url) == shown
    if "secret" in url:
        with pytest.raises(LabError) as error:
            open_storage(url.replace("db:5432", "127.0.0.1:1"), patience=0)
        assert "secret" not in str(error.value)
