import numpy as np
import pytest

from agnews_ray.app.analyse import verify_study
from agnews_ray.compare.replication import against_single_runs
from agnews_ray.record.finished import to_json
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study


def paper_study(runs, name="study", seeds=(1, 2, 3), accuracy=0.944, **changes):
    """Records that say they trained on the paper's rows by its recipe; changes go into them."""
    share = (accuracy - 0.25) / 0.75  # of the other rows of four classes a quarter is right
    variants = (("minilm", share),)
    classes = tuple("abcd")
    folder = a_study(
        runs, name=name, variants=variants, seeds=seeds, num_rows=7600, class_names=classes
    )
    store = StudyStore.at(folder)
    for record in store.records():
        train = record.dataset.train.model_copy(
            update={"num_rows": 120_000, "num_selected": 120_000}
        )
        dataset = record.dataset.model_copy(update={"train": train} | changes.get("dataset", {}))
        others = {name: value for name, value in changes.items() if name != "dataset"}
        for section, fields in others.items():
            others[section] = getattr(record, section).model_copy(update=fields)
        changed = record.model_copy(update={"dataset": dataset, **others})
        path = store.trial_folder(record.trial_id) / "record.json"
        path.write_text(to_json(changed))
    return folder


def judged(lines):
    return {line.quantity: line.agrees for line in lines}


def notes(lines):
    return {line.quantity: line.note for line in lines}


@pytest.mark.parametrize(("accuracy", "agrees"), [(0.944, True), (0.90, False)])
def test_a_study_is_held_against_the_paper(tmp_path, accuracy, agrees):
    lines = judged(verify_study(paper_study(tmp_path, accuracy=accuracy), "paper"))
    assert lines["Parameters (M)"] is True
    assert lines["Model Size (MB)"] is True
    assert lines["Train time (min)"] is None
    assert lines["Accuracy"] is agrees


def as_printed(lines):
    return [(line.quantity, line.published, line.found, line.note) for line in lines]


def printed_means(folder):
    scores = [record.test for record in StudyStore.at(folder).records()]
    means = (np.mean([getattr(one, name) for one in scores]) for name in ("accuracy", "macro_f1"))
    return [f"{mean:.4f}" for mean in means]


@pytest.mark.parametrize(("device", "note"), [("CPU", "another device"), ("Tesla T4", "")])
def test_every_line_says_what_was_published_and_what_was_found(tmp_path, device, note):
    environment = {"cpu": device}
    folder = paper_study(tmp_path, training={"train_seconds": 90.0}, environment=environment)
    accuracy, macro_f1 = printed_means(folder)
    lines = verify_study(folder, "paper")
    assert as_printed(lines) == [
        ("Parameters (M)", "33.36", "33.36", ""),
        ("Model Size (MB)", "127.3", "127.3", ""),
        ("Accuracy", "0.9441", accuracy, "3 seed(s) against 1"),
        ("Macro-F1", "0.9440", macro_f1, "3 seed(s) against 1"),
        ("Train time (min)", "12.89 (Tesla T4)", f"1.50 ({device})", note),
    ]
    assert {line.model for line in lines} == {"minilm"}


def test_every_line_says_what_the_other_study_found(tmp_path):
    ours = paper_study(tmp_path, name="one", training={"train_seconds": 90.0})
    theirs = paper_study(tmp_path, name="two", seeds=(1, 2), accuracy=0.9)
    (accuracy, macro_f1), (their_accuracy, their_macro_f1) = map(printed_means, (ours, theirs))
    assert as_printed(verify_study(ours, str(theirs))) == [
        ("Parameters (M)", "33.36", "33.36", ""),
        ("Model Size (MB)", "127.3", "127.3", ""),
        ("Accuracy", their_accuracy, accuracy, "3 seed(s) against 2"),
        ("Macro-F1", their_macro_f1, macro_f1, "3 seed(s) against 2"),
        ("Train time (min)", "1.00 (CPU)", "1.50 (CPU)", ""),
    ]


def test_the_paper_is_held_at_five_in_a_hundred_over_both_scores(tmp_path):
    folder = paper_study(tmp_path)
    lines = {line.quantity: line for line in verify_study(folder, "paper")}
    scores = [record.test for record in StudyStore.at(folder).records()]
    for quantity, ours, published in (
        ("Accuracy", [one.accuracy for one in scores], 0.9441),
        ("Macro-F1", [one.macro_f1 for one in scores], 0.9440),
    ):
        expected = against_single_runs(ours, published, 1).interval(0.05 / 2)
        assert lines[quantity].difference == expected


def test_a_model_that_the_other_study_lacks_has_no_line(tmp_path):
    one = a_study(tmp_path, name="one", variants=(("a", 0.9), ("b", 0.8)))
    two = a_study(tmp_path, name="two", variants=(("b", 0.8),))
    lines = verify_study(one, str(two))
    assert [line.model for line in lines] == ["b"] * 5


def test_every_model_that_both_have_has_its_lines_together(tmp_path):
    one = a_study(tmp_path, name="one", variants=(("a", 0.9), ("b", 0.8)))
    two = a_study(tmp_path, name="two", variants=(("a", 0.9), ("b", 0.8)))
    lines = verify_study(one, str(two))
    assert [line.model for line in lines] == ["a"] * 5 + ["b"] * 5
    assert [line.quantity for line in lines[:5]] == [line.quantity for line in lines[5:]]
    judged_at = [line.difference for line in lines if line.quantity == "Macro-F1"]
    alone = a_study(tmp_path, name="three", variants=(("a", 0.9),))
    wider, narrower = judged_at[0], verify_study(alone, str(two))[3].difference
    assert wider.high > narrower.high  # four scores share the five in a hundred, not two


def test_a_digit_off_disagrees(tmp_path):
    folder = paper_study(tmp_path, model={"parameters": 33_376_000, "size_bytes": 1 << 27})
    lines = judged(verify_study(folder, "paper"))
    assert (lines["Parameters (M)"], lines["Model Size (MB)"]) == (False, False)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"variant": {"init": "random"}}, "fresh weights"),
        ({"recipe": {"num_epochs": 1}}, "num_epochs 1: not the paper's"),
    ],
)
def test_what_is_not_the_papers_is_shown_and_not_judged(tmp_path, changes, note):
    lines = verify_study(paper_study(tmp_path, **changes), "paper")
    assert judged(lines)["Accuracy"] is None
    assert judged(lines)["Parameters (M)"] is True
    assert note in notes(lines)["Macro-F1"]


def test_one_seed_against_one_is_shown_and_not_judged(tmp_path):
    one, two = (paper_study(tmp_path, name=name, seeds=(1,)) for name in ("one", "two"))
    for against in ("paper", str(two)):
        lines = verify_study(one, against)
        assert judged(lines)["Accuracy"] is None
        assert "run more seeds" in notes(lines)["Accuracy"]


def test_a_study_agrees_with_itself_and_not_with_a_worse_one(tmp_path):
    study = paper_study(tmp_path, name="one")
    worse = paper_study(tmp_path, name="two", accuracy=0.9)
    assert False not in judged(verify_study(study, str(study))).values()
    assert judged(verify_study(study, str(worse)))["Accuracy"] is False


def test_another_studys_settings_are_shown_and_not_judged(tmp_path):
    theirs = paper_study(tmp_path, name="two", recipe={"num_epochs": 1})
    lines = verify_study(paper_study(tmp_path, name="one"), str(theirs))
    assert judged(lines)["Accuracy"] is None
    assert "num_epochs 2" in notes(lines)["Accuracy"]
