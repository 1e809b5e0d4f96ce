"""Facts of an assessment made by hand, for tests of what writes them."""

from itertools import chain

from agnews_ray.compare.assessment import Assessment, Settings
from agnews_ray.compare.findings import (
    Calibration,
    ClassFacts,
    CurvePoint,
    DoubtfulRows,
    Interval,
    PairFacts,
    ReliabilityBin,
    Subset,
    VariantFacts,
)
from agnews_ray.compare.table import compare_records
from tests.fakes.records import a_record

HALF = Interval(value=0.5, low=0.4, high=0.6)


def a_class(name="a", num_examples=100, num_predicted=50.0):
    return ClassFacts(
        name=name,
        num_examples=num_examples,
        num_predicted=num_predicted,
        precision=HALF,
        recall=HALF,
        f1=HALF,
    )


def a_variant(name="one", confusion=((5, 1), (2, 4)), **changes):
    """A variant whose classes are a, b, c ..., or other ones."""
    facts = {
        "name": name,
        "seeds": (1,),
        "trial_ids": ("t1",),
        "accuracy": HALF,
        "macro_f1": HALF,
        "classes": tuple(a_class(letter) for letter in "abcdefgh"[: len(confusion)]),
        "confusion": tuple(tuple(line) for line in confusion),
        "calibration": Calibration(
            expected_calibration_error=0.125,
            brier_score=0.25,
            bins=(ReliabilityBin(confidence=0.9, accuracy=0.8, num_predictions=12),),
        ),
        "curve": (CurvePoint(samples_seen=16, loss=0.5, lowest=0.4, highest=0.6),),
        "validation_accuracy": (),
    }
    return VariantFacts(**facts | changes)


def a_pair(**changes):
    """A variant that is worse than the baseline by a point of accuracy."""
    facts = {
        "variant": "two",
        "baseline": "one",
        "metric": "accuracy",
        "num_seeds": 3,
        "confidence": 0.95,
        "accuracy": Interval(value=-0.01, low=-0.02, high=-0.003),
        "macro_f1": Interval(value=-0.04, low=-0.07, high=-0.01),
        "num_only_variant_right": 2.0,
        "num_only_baseline_right": 12.5,
        "mcnemar_p_value": 0.03,
        "p_value": 0.01,
        "adjusted_p_value": 0.012,
        "equivalence_p_value": 0.00002,
        "verdict": "worse",
        "is_different": True,
        "num_more_seeds": None,
    }
    return PairFacts(**facts | changes)


def some_doubts(**changes):
    facts = {
        "num_hard": 0,
        "hard": (),
        "num_duplicates": 0,
        "duplicates": (),
        "subsets": (
            Subset(name="all rows", num_rows=10, accuracy=(0.9, 0.8), macro_f1=(0.7, 0.6)),
        ),
        "num_disagreements": 0,
        "disagreements": (),
    }
    return DoubtfulRows(**facts | changes)


def trials_of(name, accuracy=0.9, seeds=(1, 2, 3), **changes):
    """The records of one variant."""
    return [
        a_record(f"{name}-s{seed}", name=name, seed=seed, accuracy=accuracy, **changes)
        for seed in seeds
    ]


def an_assessment(records=None, settings=None, **changes):
    """An assessment of these records, by default of two variants; ``changes`` are further facts."""
    records = records or [*trials_of("one", 0.9), *trials_of("two", 0.8)]
    order = list(dict.fromkeys(record.variant.name for record in records))
    table = compare_records("study", records, order)
    sound = [record for record in records if record.diverged is None]
    variants = tuple(
        a_variant(
            row.model,
            seeds=row.seeds,
            trial_ids=tuple(r.trial_id for r in sound if r.variant.name == row.model),
        )
        for row in table.rows
    )
    facts = {
        "question": "",
        "settings": settings or Settings(),
        "table": table,
        "variants": variants,
        "pairs": tuple(a_pair(variant=one.name) for one in variants[1:]),
        "doubts": some_doubts(),
        "costs": (),
        "axes": (),
        "records": tuple(sound),
        "diverged": tuple(record for record in records if record.diverged is not None),
    }
    return Assessment(**facts | changes)


def chart_rows(chart):
    """All different rows of data in a Vega-Lite chart, wherever Altair puts them."""
    parts = [chart.get("data", {}).get("values", []), *chart.get("datasets", {}).values()]
    parts += [chart_rows(layer) for layer in chart.get("layer", [])]
    rows = []
    for row in chain(*parts):
        if row not in rows:
            rows.append(row)
    return rows
