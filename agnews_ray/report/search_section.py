"""The report's sections on searches: what was tried, what mattered, and whether it helped."""

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.search_facts import SearchFacts
from agnews_ray.compare.searches import Search, TriedSetting
from agnews_ray.report import search_text, sentences
from agnews_ray.report.grid import Cell, Grid, Section, number, word
from agnews_ray.report.search_figures import search_figures

NUM_LISTED = 10
"""The number of settings in the table of the best ones."""


def search_sections(assessment: Assessment) -> list[Section]:
    """Make a section for each search of a study.

    Args:
        assessment: the study's assessment.

    Returns:
        The sections; none without a search.
    """
    found = zip(assessment.table.searches, assessment.searches, strict=True)
    return [
        Section(
            name=f"search-{index}",
            title=f"Search: {search.variant}",
            paragraphs=tuple(_paragraphs(search, facts, assessment)),
            figures=search_figures(search, facts, index),
            grids=tuple(grid for grid in _grids(search, facts, index) if grid.rows),
        )
        for index, (search, facts) in enumerate(found)
    ]


def _paragraphs(search: Search, facts: SearchFacts, assessment: Assessment) -> list[str]:
    found = [f"Tried: {search_text.summary(search)}."]
    if facts.pair is not None:
        said = sentences.judge(facts.pair, assessment)
        found.append(f"{search_text.whether_it_helped(facts.pair)}{said}")
    elif facts.is_default_best:
        found.append(
            "Tuning did not help: the best of all tried settings is the variant's own recipe."
        )
    elif not any(row.search for row in assessment.table.rows if row.model == search.winner):
        found.append(
            "The best settings were not trained with new seeds yet, so it is not known whether "
            "the search helped: its own scores are those of the best of many."
        )
    if facts.curse is not None:
        found.append(search_text.curse_text(facts.curse, search.metric))
    stopped = search.cost.stopped_seconds
    if stopped:
        share = 100 * stopped / max(search.cost.train_seconds, 1e-9)
        found.append(
            f"Of the search's train time, {share:.0f} % went into trials that were stopped early. "
            "Their scores are those of fewer epochs: they are shown hollow, are never the best, "
            "and count for importances with the share of training that they finished."
        )
    return found + search_text.close_scores(search) + search_text.what_mattered(facts)


def _grids(search: Search, facts: SearchFacts, index: int) -> list[Grid]:
    return [_best_settings(search, facts, index), _importances(facts, index)]


def _best_settings(search: Search, facts: SearchFacts, index: int) -> Grid:
    ranked = sorted(search.settings, key=_rank)
    paths = [one.path for one in facts.parameters]
    paths += [path for path in search.settings[0].values if path not in paths]
    rows = tuple(
        (
            word(str(one.number)),
            word(_training(one)),
            *(_value(one, path) for path in paths),
            word("none") if one.score is None else number(one.score, ".4f"),
            number(len(one.seeds), "d"),
            number(one.train_seconds / 60, ".2f"),
        )
        for one in ranked[:NUM_LISTED]
    )
    metric = search_text.METRICS[search.metric]
    names = [path.removeprefix("recipe.") for path in paths]
    return Grid(
        name=f"search-settings-{index}",
        title=f"The best of {len(search.settings)} settings",
        columns=("Setting", "Training", *names, f"Validation {metric}", "Seeds", "Minutes"),
        rows=rows,
        num_text_columns=2,
        note="Those trained to their end first. Scores are means over seeds, after the last epoch "
        "or where the trial was stopped. `agnews-ray compare --format json` has all settings.",
    )


def _rank(one: TriedSetting) -> tuple[bool, float]:
    return one.is_stopped or one.score is None, -(one.score or 0.0)


def _training(one: TriedSetting) -> str:
    return f"stopped at {100 * one.done:.0f} %" if one.is_stopped else "whole"


def _value(one: TriedSetting, path: str) -> Cell:
    value = one.values.get(path)
    text = search_text.value_text(value)
    return Cell(text, value if isinstance(value, int | float) else text)


def _importances(facts: SearchFacts, index: int) -> Grid:
    shares = [(one.path, one.importance) for one in facts.parameters]
    rows = tuple(
        (word(name), Cell(search_text.share_text(share), share.value, share))
        for name, share in [*shares, ("seeds and the rest", facts.noise)]
        if share is not None
    )
    return Grid(
        name=f"search-importances-{index}",
        title="Importances",
        columns=("Parameter", "Share of the variance"),
        rows=rows,
        note="Total effects over the searched space, by a Gaussian process on all settings: what a "
        "parameter explains alone and together with others, so that shares can add up to more than "
        "100 %.",
        is_long=True,
    )
