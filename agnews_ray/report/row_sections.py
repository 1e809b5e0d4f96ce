"""The report's sections on single rows, and on how the study was made."""

from collections.abc import Iterable

from agnews_ray.compare.assessment import Assessment
from agnews_ray.report import attempt_text
from agnews_ray.report.grid import (
    Cell,
    Grid,
    Section,
    facts_grid,
    how_many_listed,
    kept_text,
    number,
    word,
)
from agnews_ray.spec.linear_models import keys_with_effect
from agnews_ray.spec.recipe import RecipeSpec


def doubts_section(assessment: Assessment) -> Section:
    """Make the section on rows that all get wrong, duplicates, and the scores without them."""
    doubts, num_trials = assessment.doubts, len(assessment.records)
    names = [variant.name for variant in assessment.variants]
    subsets = Grid(
        name="subsets",
        title="Scores with and without doubtful rows",
        columns=(
            "Scored on",
            "Rows",
            *(f"{name}: {score}" for name in names for score in ("accuracy", "macro-F1")),
        ),
        rows=tuple(
            (
                word(subset.name),
                number(subset.num_rows, ",d"),
                *(
                    number(score, ".4f")
                    for pair in zip(subset.accuracy, subset.macro_f1, strict=True)
                    for score in pair
                ),
            )
            for subset in doubts.subsets
        ),
        note="The first line is the headline; the others are the scores without doubtful rows.",
    )
    hard = Grid(
        name="hard-rows",
        title=f"Rows that every trial gets wrong with confidence ({doubts.num_hard:,})",
        columns=("Text", "Label", "Predicted", "Row", "Votes", "Mean probability"),
        rows=tuple(
            (
                word(kept_text(row.text)),
                word(row.label),
                word(row.preferred),
                number(row.row, "d"),
                Cell(f"{row.num_votes} of {num_trials}", row.num_votes),
                number(row.probability, ".3f"),
            )
            for row in doubts.hard
        ),
        num_text_columns=3,
        note="Wrong in every trial, each at least as sure of its prediction as on average for "
        "rows with that label (confident learning's threshold). Many are mislabelled."
        + how_many_listed(len(doubts.hard), doubts.num_hard),
        is_long=True,
    )
    grids = [subsets, hard]
    if doubts.duplicates:
        grids.append(_duplicates(assessment))
    return Section(
        name="doubts",
        title="The test set itself",
        paragraphs=_doubt_text(assessment),
        grids=tuple(grids),
    )


def _doubt_text(assessment: Assessment) -> tuple[str, ...]:
    doubts = assessment.doubts
    lines = [
        f"All {len(assessment.records)} trials get {doubts.num_hard:,} of "
        f"{doubts.subsets[0].num_rows:,} test rows wrong with confidence."
    ]
    if doubts.num_duplicates is None:
        lines.append(
            "Texts and duplicates are not kept with this study; its submit command, run "
            "again, adds them without training anything again."
        )
    else:
        lines.append(
            f"{doubts.num_duplicates:,} test row(s) repeat another test row or a train row."
        )
    return tuple(lines)


def _duplicates(assessment: Assessment) -> Grid:
    doubts = assessment.doubts
    return Grid(
        name="duplicates",
        title=f"Duplicates ({doubts.num_duplicates:,})",
        columns=("Text", "Also in", "Same", "Row", "Other row"),
        rows=tuple(
            (
                word(row.text),
                word(row.twin_split),
                word("exactly" if row.is_exact else "in words"),
                number(row.row, "d"),
                number(row.twin_row, "d"),
            )
            for row in doubts.duplicates
        ),
        num_text_columns=3,
        note="In words: the same except for case, punctuation and spaces."
        + how_many_listed(len({one.row for one in doubts.duplicates}), doubts.num_duplicates or 0),
        is_long=True,
    )


def disagreements_section(assessment: Assessment) -> Section | None:
    """Make the section on rows that one model gets right and another wrong."""
    doubts = assessment.doubts
    if not doubts.disagreements:
        return None
    grid = Grid(
        name="disagreements",
        title=f"Rows that tell the models apart ({doubts.num_disagreements:,})",
        columns=("Text", "Label", "Right", "Wrong", "It predicts", "Row", "Mean probability"),
        rows=tuple(
            (
                word(kept_text(row.text)),
                word(row.label),
                word(row.right),
                word(row.wrong),
                word(row.predicted),
                number(row.row, "d"),
                number(row.probability, ".3f"),
            )
            for row in doubts.disagreements
        ),
        num_text_columns=5,
        note="All seeds of one model are right, all seeds of the other wrong; confident rows first."
        + how_many_listed(len(doubts.disagreements), doubts.num_disagreements),
        is_long=True,
    )
    return Section(name="disagreements", title="Where the models disagree", grids=(grid,))


def provenance_section(assessment: Assessment) -> Section:
    """Make the section on recipe, data, machine, versions and commands."""
    first = assessment.records[0]
    dataset = first.dataset
    recipe = {key: _by_row(assessment, key) for key in RecipeSpec.model_fields}
    recipe["precision"] = _distinct(record.precision for record in assessment.records)
    recipe["max_length_tokens"] = str(first.data.max_length_tokens)
    machines = dict.fromkeys(
        f"{r.environment.gpu or r.environment.cpu}, {r.environment.num_cpus} CPUs, "
        f"{r.environment.memory_bytes / 2**30:.0f} GiB, {r.environment.platform}"
        for r in assessment.records
    )
    facts = {
        "data": f"{dataset.source} ({dataset.kind}; text from {' + '.join(dataset.text_columns)}, "
        f"labels {dataset.label_kind})",
        "data revision": dataset.revision or "none",
        "train fingerprint": dataset.train.fingerprint,
        "test fingerprint": dataset.test.fingerprint,
        "classes": ", ".join(dataset.class_names),
        "machine": "; ".join(machines),
        "python": _distinct(r.environment.python for r in assessment.records),
        **{
            name: _distinct(r.environment.versions.get(name, "none") for r in assessment.records)
            for name in first.environment.versions
        },
        "commit": _distinct(r.environment.commit or "none" for r in assessment.records),
    }
    return Section(
        name="provenance",
        title="How it was made",
        paragraphs=(
            "study.yaml in the study's folder makes it again (written here for the default "
            "runs folder); the commands that made it follow.",
        ),
        code=(
            f"agnews-ray submit runs/{assessment.table.study}/study.yaml",
            *dict.fromkeys(r.command for r in (*assessment.records, *assessment.diverged)),
        ),
        grids=(
            facts_grid("recipe", "Recipe", recipe),
            facts_grid("environment", "Data, software, hardware", facts),
            Grid(
                name="trials",
                title="Trials",
                columns=("Trial", "Seed", "Accuracy", "Train time (min)", "Made at"),
                rows=tuple(
                    (
                        word(r.trial_id),
                        number(r.seed, "d"),
                        word("diverged")
                        if r.test.accuracy is None
                        else number(r.test.accuracy, ".4f"),
                        number(r.training.train_seconds / 60, ".2f"),
                        word(r.created_at),
                    )
                    for r in (*assessment.records, *assessment.diverged)
                ),
                is_long=True,
            ),
            *_interrupted(assessment),
        ),
    )


def _interrupted(assessment: Assessment) -> list[Grid]:
    """List the trials that took several attempts; nothing where there are none."""
    trials = assessment.table.interrupted
    grid = Grid(
        name="interrupted",
        title="Interrupted trials",
        columns=("Trial", "Interrupted by", "Attempts", "Steps made again", "Time lost"),
        rows=tuple(
            (
                word(one.trial_id),
                word(attempt_text.causes(one)),
                number(one.num_attempts, "d"),
                number(one.num_steps_repeated, ",d"),
                Cell(attempt_text.lost(one), one.seconds_lost),
            )
            for one in trials
        ),
        num_text_columns=2,
        note="A trial goes on from its newest checkpoint; time lost is no part of its train time.",
        is_long=True,
    )
    return [grid] if trials else []


def _by_row(assessment: Assessment, key: str) -> str:
    """Write a key of the recipe: once where all rows have it alike, else for each row.

    Rows of linear models are left out of keys that have no effect on them.
    """
    records = {record.trial_id: record for record in assessment.records}
    rows: dict[str, list[str]] = {}
    for variant in assessment.variants:
        record = records[variant.trial_ids[0]]
        if keys_with_effect(record.variant.model, [key]):
            stated = getattr(record.recipe, key)
            value = "none" if stated is None else str(stated)
            rows.setdefault(value, []).append(variant.name)
    if not rows:
        return "without effect"
    if len(rows) == 1:
        return next(iter(rows))
    return ", ".join(f"{value} ({', '.join(names)})" for value, names in rows.items())


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
