"""A run as a model card in Markdown, whose front matter model hubs read.

M. Mitchell et al.: Model cards for model reporting. FAT* 2019, arXiv:1810.03993.
"""

import json
from collections.abc import Sequence

from mnist_core.analysis.fine_tuned import outcome, parent_words, rows_of, sentences
from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.statistics import mean_interval, spread, wilson
from mnist_core.formatting import counted, field_name, markdown_table, number
from mnist_core.models import model_spec, network_title
from mnist_core.runs.run import Run
from mnist_core.tuning import HELD


def card(run: Run, others: Sequence[Run] = ()) -> dict[str, bytes]:
    """The card; among the `others`, runs that differ by the seed only tell how results spread."""
    alike = [each for each in others if each.config.group == run.config.group]
    seeds = {each.id: each for each in [*alike, run]}
    in_order = sorted(seeds.values(), key=lambda each: each.config.seed)
    parts = [_front_matter(run), _head(run), _figures(run, in_order), _fine_tuning(run)]
    parts += [_robustness(run), _training(run), _limits(run.config)]
    return {"README.md": "\n\n".join(part for part in parts if part).encode() + b"\n"}


def _front_matter(run: Run) -> str:
    config, found = run.config, run.summary
    lines = ["---", "library_name: pytorch", "pipeline_tag: image-classification"]
    lines += ["tags:", "- image-classification", f"- {config.model}"]
    lines += ["datasets:", f"- {config.dataset.lower()}", "metrics:", "- accuracy"]
    if found.test_accuracy is not None:
        lines += ["model-index:", f"- name: {json.dumps(network_title(config))}", "  results:"]
        lines += ["  - task:", "      type: image-classification", "    dataset:"]
        lines += [f"      name: {config.dataset}", f"      type: {config.dataset.lower()}"]
        lines += ["      split: test", "    metrics:", "    - type: accuracy"]
        lines += [f"      value: {found.test_accuracy:.4f}"]
    return "\n".join([*lines, "---"])


def _head(run: Run) -> str:
    config, found = run.config, run.summary
    spec = dataset_spec(config.dataset)
    size = f"{found.parameters:,} parameters" if found.parameters else "parameters not counted"
    macs = f", {found.macs:,} multiply-accumulates for an image" if found.macs else ""
    source = model_spec(config.model).source if config.model else ""
    return (
        f"# {network_title(config)} on {config.dataset}\n\n"
        f"A network that reads {spec.about}: {size}{macs}. Source of the design: {source}.\n\n"
        "**Intended use**: learning and comparing. It takes images of 28×28 grey pixels and "
        f"gives one of {spec.num_classes} classes: {', '.join(spec.classes)}."
    )


def _figures(run: Run, seeds: list[Run]) -> str:
    found, spec = run.summary, dataset_spec(run.config.dataset)
    rows = []
    held_out = spec.images[0] // 6 // (HELD if run.config.tuning else 1)
    parts = [("validation", found.validation_accuracy, held_out)]
    parts += [("test", found.test_accuracy, spec.images[1])]
    for part, accuracy, count in parts:
        if accuracy is not None:
            interval = wilson(round(accuracy * count), count)
            low, high = f"{interval.low:.2%}", f"{interval.high:.2%}"
            rows.append(f"| {part} | {accuracy:.2%} | {low} to {high} | {count:,} |")
    head = "## Results\n\n| images of | accuracy | 95 % interval | images |\n"
    head += "| --- | --- | --- | --- |"
    words = (
        "The weights are those of the epoch with the highest validation accuracy "
        f"({found.best_epoch} of {run.config.epochs}); test images took no part in any choice."
    )
    if run.config.tuning:
        words = "The weights are those after the last epoch of fine-tuning, whose number was fixed."
    return "\n".join([head, *rows, "", words, _over_seeds(seeds)]).rstrip()


def _over_seeds(seeds: list[Run]) -> str:
    known = [each.summary.test_accuracy for each in seeds]
    found = [value for value in known if value is not None]
    if len(found) < 2:
        return "It was trained with one seed, so that nothing is known of training's luck."
    over = spread(found)
    interval = mean_interval(over)
    numbers = ", ".join(str(each.config.seed) for each in seeds)
    words = f"Mean test accuracy over {over.count} seeds ({numbers}): {over.mean:.2%}"
    if interval:
        words += f", 95 % interval of the mean {interval.low:.2%} to {interval.high:.2%}"
    return f"{words}."


def _fine_tuning(run: Run) -> str:
    found, tuned = outcome(run), run.config.tuned
    if found is None or tuned is None:
        return ""
    about = f"This is {parent_words(run)}, {tuned.in_words()}. In brackets: 95 % intervals."
    if tuned.mixed:
        about += (
            f" Each step takes {counted(tuned.mixed, 'image')} of the data set for each drawing, "
            "a number that was chosen with test images in view."
        )
    rows = [list(row.values()) for row in rows_of(found)]
    table = "\n".join(markdown_table(("images", "before", "after"), rows))
    words = " ".join([*sentences(found), "The drawings are not part of this."])
    return f"## Fine-tuning\n\n{about}\n\n{table}\n\n{words}"


def _robustness(run: Run) -> str:
    from mnist_core.evaluation.robustness import stored

    try:
        found = stored(run)
    except LabError:
        return ""
    if found is None:
        return ""
    lines = [f"## Robustness\n\nAccuracy on {found.images:,} test images that were spoiled.\n"]
    lines += ["| corruption | level | accuracy |", "| --- | --- | --- |"]
    for kind, curve in found.curves.items():
        level, right = curve[-1]
        lines.append(f"| {kind} | {level:g} | {right / found.images:.1%} |")
    return "\n".join(lines)


def _training(run: Run) -> str:
    config, found = run.config, run.summary
    rows = [f"| {field_name(name)} | {number(value)} |" for name, value in config.used().items()]
    where = ", ".join(f"{name} {value}" for name, value in (found.versions or {}).items())
    took = f"It took {found.seconds:,.0f} s on {found.device}" if found.seconds else ""
    after = f"{took} ({found.engine or 'torch'} engine; {where})." if took else ""
    data = f"Fingerprint of the data files: `{found.data_fingerprint}`."
    split = "Five sixths of the training images were learned from, a sixth was for validation."
    table = "\n".join(["| setting | value |", "| --- | --- |", *rows])
    return f"## Training\n\n{split} {data} {after}\n\n{table}"


def _limits(config: RunConfig) -> str:
    spec = dataset_spec(config.dataset)
    return (
        "## Limits\n\n"
        f"- It gives one of its classes for every image, also for one that shows no {spec.noun}.\n"
        "- Its images are prepared in one way: scaled, centred, bright on dark. Others need the "
        "same preparation.\n"
        "- Its probabilities are not calibrated unless that was measured.\n"
        "- It was not examined for people whose writing is missing from the data set, and must "
        "not decide anything about anybody."
    )
