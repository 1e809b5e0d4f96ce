"""The findings of an assessment, in sentences that a person can act on."""

from itertools import groupby

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.diverged import DivergedTrial
from agnews_ray.compare.findings import Interval, PairFacts
from agnews_ray.compare.inference import POWER
from agnews_ray.compare.table import ComparisonTable
from agnews_ray.report import search_text, teaching_text
from agnews_ray.report.class_sentences import weak_classes

FEW_SEEDS = 3
METRICS = {"accuracy": "accuracy", "macro-f1": "macro-F1"}
"""The written form of each metric."""
NOTABLE_RATIO = 2
"""The ratio of train times from which it is told."""


def conclusion(assessment: Assessment) -> list[str]:
    """Say what was found, the most important finding first.

    Args:
        assessment: the study's assessment.

    Returns:
        Sentences, plain text.
    """
    sentences = [_lead(assessment)]
    tunings = [one.pair for one in assessment.searches]
    teachings = [one.pair for one in assessment.taught]
    for pair in assessment.pairs:
        prefix = search_text.whether_it_helped(pair) if pair in tunings else ""
        prefix = teaching_text.whether_it_helped(pair) if pair in teachings else prefix
        verdict = judge(pair, assessment) + _trade_offs(pair, assessment)
        sentences.append(f"{prefix}{verdict}")
    return sentences + caveats(assessment)


def caveats(assessment: Assessment) -> list[str]:
    """Say what limits the findings: few seeds, missing pairs."""
    found = []
    num_seeds = min(row.num_seeds for row in assessment.table.rows)
    num_seeds = min([num_seeds, *(pair.num_seeds for pair in assessment.pairs)])
    if num_seeds == 1:
        found.append(
            "With a single seed the verdict holds for these trained weights, not for the recipe: "
            "how much another seed would change is unknown."
        )
    elif num_seeds < FEW_SEEDS:
        found.append("Two seeds say little about the spread, so intervals are wide; use more.")
    found += remarks(assessment.table)
    missing = assessment.records[0].dataset.missing_classes
    found += [f"{sentence[0].upper()}{sentence[1:]}." for sentence in missing]
    found += weak_classes(assessment)
    judged = {pair.variant for pair in assessment.pairs}
    num_missing = len(assessment.variants) - len(judged | {assessment.variants[0].name})
    if num_missing:
        found.append(
            f"{num_missing} variant(s) have no seed in common with the baseline and are not judged."
        )
    return found


def remarks(table: ComparisonTable) -> list[str]:
    """Say what the numbers of a table do not, such as own recipes, warnings, and searches."""
    trained = [*own_recipes(table), *best_epochs(table), *warnings(table)]
    return [*trained, *search_text.lines(table), *teaching_text.lines(table)]


def own_recipes(table: ComparisonTable) -> list[str]:
    """Say which rows were trained by another recipe than the study's, and in what it differs."""
    linear = [row.model for row in table.rows if row.is_linear]
    text = f"Not fine-tuned, without the recipe's epochs and learning rate: {', '.join(linear)}."
    return [text] * (0 < len(linear) < len(table.rows)) + [
        f"{row.model} has a recipe of its own: {', '.join(map(str, row.recipe_changes))}."
        for row in table.rows
        if row.recipe_changes
    ]


def best_epochs(table: ComparisonTable) -> list[str]:
    """Say of which epochs the scored weights are, for rows whose recipe has a rule to stop."""
    return [
        f"{row.model}: scores are those of the best epoch on validation "
        f"({', '.join(map(str, row.best_epochs))} of at most {row.num_epochs}); "
        f"{row.num_stopped} of {row.num_seeds} trial(s) stopped early."
        for row in table.rows
        if row.best_epochs
    ]


def warnings(table: ComparisonTable) -> list[str]:
    """Say what went otherwise than it should.

    Args:
        table: of a study.

    Returns:
        Sentences: on trials that diverged or were left out, on engines that fell back, on pauses.
    """
    found = [*name_diverged(table), *name_left_out(table)]
    for row in table.rows:
        for times in row.times:
            who = f"{row.model}: {times.num_seeds} trial(s) on {times.device}"
            if times.engine != row.engine:
                why = f": {times.engine_note}" if times.engine_note else ""
                found.append(f"{who} were trained by engine {times.engine}, not {row.engine}{why}.")
            if times.paused_seconds:
                found.append(
                    f"{who} were paused for {times.paused_seconds:.0f} s during training (the "
                    "computer slept, or the program was stopped); their train time leaves this out."
                )
    return found


def name_diverged(table: ComparisonTable) -> list[str]:
    """Name the trials that diverged, a sentence for each variant.

    Args:
        table: the study's table.

    Returns:
        Sentences; none if no trial diverged.
    """
    by_row = groupby(table.diverged, key=lambda one: (one.model, one.has_row))
    return [_diverged(list(trials), table) for _, trials in by_row]


def name_left_out(table: ComparisonTable) -> list[str]:
    """Name the trials that a budget left out, a sentence for each budget."""
    by_budget: dict[str, dict[str, list[str]]] = {}
    for one in table.left_out:
        by_budget.setdefault(one.budget, {}).setdefault(one.model, []).append(str(one.seed))
    said = []
    for budget, models in by_budget.items():
        names = [f"{m} seed{'s' * (len(s) > 1)} {', '.join(s)}" for m, s in models.items()]
        said.append(f"Left out by the budget of {budget}: {'; '.join(names)}.")
    return said


def _diverged(trials: list[DivergedTrial], table: ComparisonTable) -> str:
    first, seeds = trials[0], ", ".join(str(one.seed) for one in trials)
    several = len(trials) > 1
    reason = f"{first.reason}; seed {first.seed}" if several else first.reason
    if first.has_row:
        which, are = (f"seeds {seeds}", "are") if several else (f"seed {seeds}", "is")
        return f"{first.model} {which} diverged ({reason}) and {are} left out of every mean."
    text = f"{first.model} diverged in every seed ({seeds}; {first.reason}) and has no scores."
    if first.is_baseline and table.rows:
        text += f" It was the baseline; {table.rows[0].model} takes its place."
    return text


def judge(pair: PairFacts, assessment: Assessment) -> str:
    """Say one pair's verdict with its difference, interval and p-value."""
    margin, gap = points(assessment.settings.margin), _gap(pair, assessment)
    if pair.verdict == "equivalent":
        text = f"{pair.variant} is equivalent to {pair.baseline} within {margin}: {gap}"
        if pair.is_different:
            text += "; the difference is real, but smaller than the margin that you set"
        return f"{text}."
    if pair.verdict == "undecided":
        return f"{pair.variant} against {pair.baseline} is undecided: {gap}. {_more(pair)}"
    return f"{pair.variant} is {pair.verdict} than {pair.baseline}: {gap}."


def verdict_label(pair: PairFacts, assessment: Assessment) -> str:
    """Say one pair's verdict in a word or two."""
    if pair.verdict == "equivalent":
        return f"equivalent within {points(assessment.settings.margin)}"
    return pair.verdict


def points(fraction: float) -> str:
    """Write a difference of fractions in percentage points."""
    return f"{100 * fraction:.2f} points"


def signed_points(fraction: float) -> str:
    """Write a difference with its sign, in percentage points without the word."""
    return f"{100 * fraction:+.2f}".replace("-", "\N{MINUS SIGN}")


def between(interval: Interval, digits: int = 4) -> str:
    """Write an estimate with its interval, in fractions."""
    return f"{interval.value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def difference(interval: Interval) -> str:
    """Write a difference with its interval, in percentage points."""
    low, high = signed_points(interval.low), signed_points(interval.high)
    return f"{signed_points(interval.value)} [{low}, {high}]"


def in_points(interval: Interval) -> Interval:
    """Turn fractions into percentage points."""
    return Interval(value=100 * interval.value, low=100 * interval.low, high=100 * interval.high)


def p_text(p_value: float) -> str:
    """Write a p-value as papers do."""
    return "< 0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def confidence(assessment: Assessment) -> str:
    """Write the level of the scores' intervals, such as ``95 %``."""
    return level(1 - assessment.settings.alpha)


def level(share: float) -> str:
    """Write the level of an interval, such as ``95 %``."""
    return f"{100 * share:.4g} %"


def _lead(assessment: Assessment) -> str:
    rows, metric = assessment.table.rows, assessment.settings.metric
    name = METRICS[metric]
    scores = {row.model: row.accuracy if metric == "accuracy" else row.macro_f1 for row in rows}
    best = max(rows, key=lambda row: scores[row.model])
    if len(rows) == 1:
        facts = assessment.variants[0]
        found = between(facts.accuracy if metric == "accuracy" else facts.macro_f1)
        return f"{best.model} reaches {name} {found} ({confidence(assessment)} interval)."
    cheapest = min(rows, key=lambda row: row.parameters)
    names = f"{best.model} has the highest mean {name} ({scores[best.model]:.4f})"
    if cheapest.parameters == best.parameters != max(row.parameters for row in rows):
        return f"{names} and the fewest parameters ({best.parameters / 1e6:.2f} M)."
    if cheapest.parameters == best.parameters:
        return f"{names}; all have the same number of parameters."
    saved = 100 * (1 - cheapest.parameters / best.parameters)
    share = "over 99" if saved > 99 else f"{saved:.0f}"
    return (
        f"{names}; {cheapest.model} has the fewest parameters "
        f"({share} % fewer, {name} {scores[cheapest.model]:.4f})."
    )


def _gap(pair: PairFacts, assessment: Assessment) -> str:
    seeds = f"{pair.num_seeds} seed{'s' if pair.num_seeds > 1 else ''}"
    corrected = ", corrected" if len(assessment.pairs) > 1 else ""
    is_exact = pair.num_seeds == 1 and pair.metric == "accuracy"
    test = "exact McNemar p" if is_exact else "p"
    p_value = pair.adjusted_p_value
    if pair.verdict == "equivalent":
        test, p_value = "p of a larger difference", pair.equivalence_p_value
    written = p_text(p_value)
    written = written if written.startswith("<") else f"= {written}"
    return (
        f"{difference(pair.judged)} points of {METRICS[pair.metric]} "
        f"({level(pair.confidence)} interval, {seeds}; {test} {written}{corrected})"
    )


def _trade_offs(pair: PairFacts, assessment: Assessment) -> str:
    """Say what a verdict hides: that the other metric contradicts it, a linear model's time."""
    name, other = pair.beside
    rows = {row.model: row for row in assessment.table.rows}
    variant, baseline = rows[pair.variant], rows[pair.baseline]
    ratio = variant.share_of_train_time(baseline) if variant.is_linear != baseline.is_linear else 1
    text = ""
    if pair.is_contradicted:
        text = f" In {METRICS[name]} it is the other way round: {difference(other)} points."
    if ratio <= 1 / NOTABLE_RATIO:
        return f"{text} It was trained in 1/{1 / ratio:,.0f} of the time."
    if ratio >= NOTABLE_RATIO:
        return f"{text} Its training took {ratio:,.0f} times as long."
    return text


def _more(pair: PairFacts) -> str:
    if pair.num_seeds == 1:
        return "One seed does not show the spread: run at least two more, then report again."
    if pair.num_more_seeds is None:
        return "More seeds alone would not decide: more test rows are needed."
    seeds = f"{pair.num_more_seeds} more seed{'s' if pair.num_more_seeds > 1 else ''}"
    return (
        f"About {seeds} would decide, with a chance of {100 * POWER:.0f} % (normal "
        "approximation, if the true difference is the observed one). Fix their number first: "
        "looking after each seed makes errors more likely."
    )
