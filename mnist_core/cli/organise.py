"""Keeping runs in order: the commands `annotate`, `archive`, `delete` and `restore`."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace

from mnist_core.cli.command import Answer, command, one_run, several_runs
from mnist_core.errors import NotFound
from mnist_core.runs import trash
from mnist_core.runs.about import about, tags_of, write_about
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def _annotate_options(parser: ArgumentParser) -> None:
    one_run(parser)
    parser.add_argument("--label", help="a short name")
    parser.add_argument("--note", help="a sentence or more")
    parser.add_argument("--tags", help='words to find it by, such as "class 7b, best"')


@command("annotate", "Gives a run a label, a note and tags.", _annotate_options)
def annotate(options: Namespace) -> Answer:
    run = RunStore().get(options.id)
    said, given = about(run), {"label": options.label, "note": options.note}
    said = replace(said, **{name: text for name, text in given.items() if text is not None})
    if options.tags is not None:
        said = replace(said, tags=tags_of(options.tags))
    if said != about(run):
        write_about(run, said)
    row = {"id": run.id, **asdict(said), "tags": list(said.tags)}
    shown = {"label": said.label, "note": said.note, "tags": ", ".join(said.tags)}
    lines = [f"{name}: {text}" for name, text in shown.items() if text]
    return Answer(row, "\n".join(lines) or f"{run.id} has no label, note or tags.")


@command("archive", "Takes runs out of the way; `restore` brings them back.", several_runs)
def archive(options: Namespace) -> Answer:
    store = RunStore()
    runs = [store.get(run_id) for run_id in options.ids]
    for run in runs:
        write_about(run, replace(about(run), archived=True))
    return _done(options.ids, "archived")


@command("delete", "Deletes runs; `restore` brings them back within an hour.", several_runs)
def delete(options: Namespace) -> Answer:
    store = RunStore()
    for run_id in options.ids:
        trash.delete(store, run_id)
    return _done(options.ids, "deleted")


@command(
    "restore", "Brings back runs that were archived, or deleted in the last hour.", several_runs
)
def restore(options: Namespace) -> Answer:
    store = RunStore()
    for run_id in options.ids:
        run = _existing_or_restored(store, run_id)
        if about(run).archived:
            write_about(run, replace(about(run), archived=False))
    return _done(options.ids, "restored")


def _existing_or_restored(store: RunStore, run_id: str) -> Run:
    """An archived run, or one from the trash.

    Raises LabError for a run that is both there, not archived, and in the trash.
    """
    if store.folder(run_id).path.is_dir() and about(run := store.get(run_id)).archived:
        return run
    try:
        return trash.restore(store, run_id)
    except NotFound:
        if store.folder(run_id).path.is_dir():
            return store.get(run_id)
        raise


def _done(ids: list[str], what: str) -> Answer:
    return Answer([{"id": run_id, what: True} for run_id in ids], f"{what}: {', '.join(ids)}")
