"""What was found, in sentences; every number in them is known."""

import pytest

from agnews_ray.compare.assessment import Settings
from agnews_ray.compare.findings import Interval
from agnews_ray.compare.table import compare_records
from agnews_ray.report import sentences
from agnews_ray.spec.recipe import RecipeSpec, StopSpec
from tests.fakes.facts import a_class, a_pair, a_variant, an_assessment, trials_of
from tests.fakes.records import a_dataset, a_linear_record, a_record

GAP = "\N{MINUS SIGN}1.00 [\N{MINUS SIGN}2.00, \N{MINUS SIGN}0.30] points of accuracy"


def judged(**changes):
    pair = a_pair(**changes)
    return sentences.judge(pair, an_assessment(pairs=(pair,)))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (sentences.points(0.005), "0.50 points"),
        (sentences.signed_points(0.0123), "+1.23"),
        (sentences.signed_points(-0.0123), "\N{MINUS SIGN}1.23"),
        (sentences.p_text(0.0001), "0.0001"),
        (sentences.p_text(0.00009), "< 0.0001"),
        (sentences.level(0.95), "95 %"),
        (sentences.level(1 - 0.05 / 3), "98.33 %"),
        (sentences.between(Interval(value=0.9, low=0.88, high=0.92)), "0.9000 [0.8800, 0.9200]"),
        (sentences.between(Interval(value=0.9, low=0.88, high=0.92), 2), "0.90 [0.88, 0.92]"),
    ],
)
def test_numbers_are_written_as_papers_do(written, text):
    assert written == text


def test_a_difference_that_was_found_is_said_with_its_interval_and_test():
    assert judged() == f"two is worse than one: {GAP} (95 % interval, 3 seeds; p = 0.0120)."


def test_p_values_of_several_pairs_are_called_corrected():
    pair = a_pair()
    said = sentences.judge(pair, an_assessment(pairs=(pair, pair)))
    assert said.endswith("p = 0.0120, corrected).")


def test_an_equivalence_has_its_own_test_and_says_whether_the_difference_is_real():
    said = f"two is equivalent to one within 0.50 points: {GAP} (90 % interval, 3 seeds; "
    said += "p of a larger difference < 0.0001)"
    same = {"verdict": "equivalent", "confidence": 0.9}
    assert judged(is_different=False, **same) == f"{said}."
    assert judged(is_different=True, **same) == (
        f"{said}; the difference is real, but smaller than the margin that you set."
    )


@pytest.mark.parametrize(
    ("num_seeds", "num_more", "said"),
    [
        (3, 1, "About 1 more seed would decide, with a chance of 80 %"),
        (3, 4, "About 4 more seeds would decide"),
        (3, None, "More seeds alone would not decide: more test rows are needed."),
        (1, None, "One seed does not show the spread: run at least two more"),
    ],
)
def test_what_is_undecided_says_what_would_decide(num_seeds, num_more, said):
    text = judged(verdict="undecided", num_seeds=num_seeds, num_more_seeds=num_more)
    assert text.startswith(f"two against one is undecided: {GAP}")
    assert said in text


@pytest.mark.parametrize(
    ("changes", "test"),
    [
        ({"num_seeds": 1}, "1 seed; exact McNemar p = 0.0120"),
        ({"num_seeds": 1, "metric": "macro-f1"}, "1 seed; p = 0.0120"),
        ({"num_seeds": 2}, "2 seeds; p = 0.0120"),
    ],
)
def test_only_a_single_seeds_accuracy_has_an_exact_test(changes, test):
    assert test in judged(**changes)


def test_the_difference_is_in_the_metric_that_is_judged():
    minus = "\N{MINUS SIGN}"
    assert f"{minus}4.00 [{minus}7.00, {minus}1.00] points of macro-F1" in judged(metric="macro-f1")


def with_parameters(name, parameters, accuracy):
    model = a_record().model.model_copy(update={"parameters": parameters})
    return trials_of(name, accuracy, model=model)


@pytest.mark.parametrize(
    ("of_one", "of_two", "said"),
    [
        (40_000_000, 10_000_000, "; two has the fewest parameters (75 % fewer, accuracy 0.8000)."),
        (40_000_000, 1, "; two has the fewest parameters (over 99 % fewer, accuracy 0.8000)."),
        (10_000_000, 40_000_000, " and the fewest parameters (10.00 M)."),
        (10_000_000, 10_000_000, "; all have the same number of parameters."),
    ],
)
def test_the_best_is_named_first_and_what_a_smaller_one_saves(of_one, of_two, said):
    records = [*with_parameters("one", of_one, 0.9), *with_parameters("two", of_two, 0.8)]
    lead = sentences.conclusion(an_assessment(records))[0]
    assert lead == f"one has the highest mean accuracy (0.9000){said}"


@pytest.mark.parametrize(("metric", "name"), [("accuracy", "accuracy"), ("macro-f1", "macro-F1")])
def test_a_variant_alone_is_said_with_its_interval(metric, name):
    found = an_assessment(trials_of("one"), Settings(metric=metric, alpha=0.1))
    reached = f"one reaches {name} 0.5000 [0.4000, 0.6000] (90 % interval)."
    assert sentences.conclusion(found) == [reached]


@pytest.mark.parametrize(
    ("num_seeds", "said"),
    [(1, "not for the recipe"), (2, "Two seeds say little"), (3, None)],
)
def test_few_seeds_are_a_caveat(num_seeds, said):
    found = sentences.caveats(an_assessment(trials_of("one", seeds=range(num_seeds)), pairs=()))
    assert len(found) == (said is not None)
    assert all(said in line for line in found)


def test_a_pair_on_fewer_seeds_than_its_rows_counts_as_these():
    (line,) = sentences.caveats(an_assessment(pairs=(a_pair(num_seeds=1),)))
    assert line.startswith("With a single seed")


def test_variants_without_a_pair_and_classes_without_rows_are_caveats():
    dataset = a_dataset().model_copy(update={"missing_classes": ("the test rows lack yes",)})
    records = [*trials_of("one", dataset=dataset), *trials_of("two", dataset=dataset)]
    assert sentences.caveats(an_assessment(records, pairs=())) == [
        "The test rows lack yes.",
        "1 variant(s) have no seed in common with the baseline and are not judged.",
    ]


def weak(num_classes, num_never, num_few, name="class {:03}"):
    """Classes of which the last are never predicted, and the last have nine rows."""
    return tuple(
        a_class(
            name.format(number),
            num_examples=9 if number >= num_classes - num_few else 10,
            num_predicted=0.0 if number >= num_classes - num_never else 9.0,
        )
        for number in range(num_classes)
    )


def test_the_verdict_names_classes_never_predicted_and_of_few_rows():
    first = a_variant("first", classes=weak(43, 21, 38))
    variants = (first, a_variant("second", classes=weak(43, 0, 38)))
    said = sentences.conclusion(an_assessment(variants=variants))
    assert (
        "first never predicts 21 of 43 classes, such as class 022, class 023, class 024. "
        "Accuracy hides this; macro-F1 counts each such class as 0." in said
    )
    few = [line for line in said if line.startswith("Under 10 test rows: 38 of 43 classes")]
    assert len(few) == 1
    assert not any(line.startswith("second never") for line in said)


def test_what_is_not_fine_tuned_is_named():
    records = [*trials_of("one"), a_linear_record(name="svm"), a_linear_record("l", "logreg")]
    said = sentences.own_recipes(an_assessment(records).table)
    assert said == ["Not fine-tuned, without the recipe's epochs and learning rate: svm, logreg."]
    assert sentences.own_recipes(an_assessment([a_linear_record()]).table) == []


@pytest.mark.parametrize(
    ("macro_f1", "said"),
    [
        (Interval(value=0.18, low=0.15, high=0.21), True),
        (Interval(value=0.18, low=-0.01, high=0.21), False),
        (Interval(value=-0.18, low=-0.3, high=-0.01), False),
    ],
)
def test_a_metric_that_contradicts_the_verdict_is_said(macro_f1, said):
    pair = a_pair(macro_f1=macro_f1)
    line = sentences.conclusion(an_assessment(pairs=(pair,)))[1]
    text = "In macro-F1 it is the other way round: +18.00 [+15.00, +21.00] points."
    assert (text in line) is said


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (trials_of("one", seeds=(1,)), "It was trained in 1/120 of the time."),
        ([a_linear_record("o", "one")], None),
    ],
)
def test_a_linear_models_train_time_is_compared_with_a_fine_tuned_ones(first, said):
    line = sentences.conclusion(an_assessment([*first, a_linear_record("t", "two")]))[1]
    assert line.endswith(said or "corrected)." if said else "p = 0.0120).")


def test_a_baseline_that_is_linear_makes_the_other_long():
    found = an_assessment([a_linear_record("o", "one"), *trials_of("two", seeds=(1,))])
    assert "Its training took 120 times as long." in sentences.conclusion(found)[1]


def test_rows_of_a_recipe_that_stops_say_of_which_epochs_they_are():
    recipe = RecipeSpec(num_epochs=6, stop=StopSpec(patience=2))
    records = [
        a_record(f"x{seed}", seed=seed, recipe=recipe).model_copy(
            update={"training": a_record().training.model_copy(update=found)}
        )
        for seed, found in enumerate(
            [{"best_epoch": 3, "stopped_after_epoch": 5}, {"best_epoch": 6}]
        )
    ]
    assert sentences.remarks(compare_records("s", records, ["one"])) == [
        "one: scores are those of the best epoch on validation (3, 6 of at most 6); 1 of 2 "
        "trial(s) stopped early."
    ]
