from agnews_ray.plan.fitting import Question, what_fits
from agnews_ray.plan.time_forecast import Limit
from agnews_ray.spec.loader import build_study
from tests.fakes.predictions import a_forecast, some_trials


def question(limit_s, seeds=(1, 2), models=("one", "two"), num_rows=8000, done=0, **parts):
    study = build_study(
        {
            "models": [{"model": "minilm", "name": name} for name in models],
            "seeds": list(seeds),
            "recipe": {"num_epochs": 4},
            **parts,
        },
        "test",
    )
    trials = some_trials(*models, seeds=seeds)
    return Question(
        study=study,
        todo=trials[done:],
        trials=trials,
        num_rows=num_rows,
        forecast=a_forecast(startup_s=0, one=1000, two=100),
        limit=Limit(text="x", seconds=limit_s),
        spent_s=0.0,
    )


def changes(found):
    return {one.what: one.change for one in found}


def test_each_kind_of_change_is_the_largest_that_fits():
    found = what_fits(question(1200), {})
    assert changes(found) == {
        "fewer seeds": "--seeds 1",
        "fewer rows": "--limit-train 4000",
        "fewer epochs": "--epochs 2",
        "the faster model only": "--models minilm",
    }
    assert all(one.cost.median <= 1200 for one in found)


def test_a_variant_that_no_flag_describes_is_named():
    found = what_fits(question(300, models=("one", "two"), recipe={"num_epochs": 1}), {})
    own = build_study(
        {"models": ["minilm", {"model": "minilm", "init": "random", "name": "two"}]}, "test"
    )
    assert changes(found)["the faster model only"] == "--models minilm"
    described = question(300)
    named = described.study.model_copy(
        update={
            "models": (
                described.study.models[0],
                own.models[1],
            )
        }
    )
    asked = Question(
        study=named,
        todo=described.todo,
        trials=described.trials,
        num_rows=8000,
        forecast=described.forecast,
        limit=described.limit,
        spent_s=0.0,
    )
    assert changes(what_fits(asked, {}))["the faster model only"] == (
        "without one in the job file's models"
    )


def test_a_single_seed_and_epoch_cannot_be_fewer():
    found = what_fits(question(300, seeds=(1,), models=("one",), recipe={"num_epochs": 1}), {})
    assert changes(found) == {"fewer rows": "--limit-train 2000"}


def test_of_a_single_model_a_smaller_one_is_named_by_its_size():
    asked = question(300, seeds=(1,), models=("one",))
    found = what_fits(asked, {"large": 0.9, "small": 0.25, "tiny": 0.01})
    assert changes(found)["a smaller model"] == "--models small"
    assert not found[-1].is_measured


def test_finished_trials_are_paid_for_again_with_other_rows_but_not_with_fewer_seeds():
    asked = question(1150, models=("one",), done=1)
    assert changes(what_fits(asked, {})) == {
        "fewer rows": "--limit-train 4000",
        "fewer epochs": "--epochs 2",
    }


def test_if_nothing_fits_there_is_no_option():
    assert what_fits(question(1, models=("one",)), {}) == ()
