import pytest

from agnews_ray.app.forecast_study import PROBES_FOLDER, forecast_study, has_probes
from agnews_ray.app.prepare import prepare_study, read_study
from tests.fakes.predictions import a_prediction, a_probe
from tests.fakes.studies import a_study

MODELS = [{"model": "minilm", "init": "random"}, {"model": "distilbert", "init": "random"}]
NAMES = [
    "microsoft/MiniLM-L12-H384-uncased (fresh)",
    "distilbert-base-uncased (fresh)",
]


class Meter:
    """Measures every variant at once, and counts how often it is asked."""

    def __init__(self, **changes):
        self.probe, self.asked = a_probe(**changes), []

    def __call__(self, request):
        names = [trial.variant.name for trial in request.trials]
        self.asked.append(names)
        return dict.fromkeys(names, self.probe)


@pytest.fixture
def prepare(tmp_path):
    def make(**flags):
        source = {"models": MODELS, "data.source": "synthetic:train=320,test=64,seed=1"}
        return prepare_study(read_study(None, source | flags), tmp_path / "runs")

    return make


def forecast(prepared, measure, **how):
    return forecast_study(prepared, lambda line: None, measure=measure, **how)


def test_all_variants_are_measured_together_and_kept(prepare):
    meter = Meter()
    found = forecast(prepare(), meter)
    assert sorted(meter.asked[0]) == sorted(found.workloads)
    assert forecast(prepare(), None).workloads == found.workloads
    assert len(meter.asked) == 1


def test_a_kept_probe_serves_other_seeds_rows_and_epochs(prepare):
    meter = Meter()
    forecast(prepare(), meter)
    changed = prepare(**{"seeds": [7, 8], "data.limit_train": 160, "recipe.num_epochs": 4})
    found = forecast(changed, meter)
    assert len(meter.asked) == 1
    assert {work.num_steps for work in found.workloads.values()} == {4 * 10}


@pytest.mark.parametrize(
    "change",
    [
        {"recipe.global_batch_size": 32},
        {"recipe.precision": "fp32"},
        {"data.max_length_tokens": 64},
        {"scaling.num_workers": 2},
    ],
)
def test_what_changes_the_time_of_a_batch_is_measured_anew(prepare, change):
    meter = Meter()
    forecast(prepare(**{"recipe.precision": "auto"}), meter)
    before = prepare().trials[0].precision
    forecast(prepare(**change), meter)
    assert len(meter.asked) == (1 if change.get("recipe.precision") == before else 2)


def test_fresh_measures_again(prepare):
    meter = Meter()
    forecast(prepare(), meter)
    forecast(prepare(), Meter(step_seconds=((10, 7.0),)), is_fresh=True)
    assert (
        forecast(prepare(), None).workloads != forecast(prepare(), meter, is_fresh=True).workloads
    )


def test_a_probe_beside_busy_programs_is_used_and_soon_measured_again(prepare):
    forecast(prepare(), Meter(others_cores=1.0))
    assert forecast(prepare(), None).workloads
    meter = Meter()
    forecast(prepare(), meter)
    assert len(meter.asked) == 1


def test_a_damaged_probe_is_measured_again(prepare):
    forecast(prepare(), Meter())
    for kept in (prepare().cache / PROBES_FOLDER).glob("*/probe.json"):
        kept.write_text("{}")
    meter = Meter()
    forecast(prepare(), meter)
    assert len(meter.asked[0]) == 2


def test_what_cannot_be_measured_is_named_and_not_kept(prepare):
    def fails(request):
        raise MemoryError("killed")

    lines = []
    found = forecast_study(prepare(), lines.append, measure=fails)
    assert found.workloads == {}
    assert set(found.unmeasured.values()) == {"MemoryError: killed"}
    assert len([line for line in lines if "could not be measured" in line]) == 2
    assert not has_probes(prepare())


def test_without_a_probe_nothing_is_predicted_and_nothing_measured(prepare):
    found = forecast(prepare(), None)
    assert (found.workloads, has_probes(prepare())) == ({}, False)


def test_a_linear_model_is_not_probed_and_says_so(prepare):
    meter = Meter()
    found = forecast(prepare(models=[*MODELS, "tfidf-svm"]), meter)
    assert "tfidf-svm" not in meter.asked[0]
    assert found.unmeasured["tfidf-svm"].startswith("a linear model")


def test_a_study_of_linear_models_alone_has_an_empty_forecast(prepare):
    meter = Meter()
    found = forecast(prepare(models=["tfidf-svm"]), meter)
    assert (found.workloads, meter.asked) == ({}, [])


def test_errors_are_learned_from_all_studies_beside_this_one(prepare, tmp_path):
    folder = a_study(tmp_path / "runs", "earlier")
    prepared, here = prepare(), forecast_environment()
    for path in folder.glob("trials/*/record.json"):
        keep_prediction(path, here)
    found = forecast(prepared, Meter())
    assert len(found.past.errors) == 6


def forecast_environment():
    from agnews_ray.record.environment import describe_environment

    return describe_environment()


def keep_prediction(path, environment):
    from agnews_ray.record.finished import load_record, to_json

    record = load_record(path)
    said = a_prediction(50.0)
    path.write_text(
        to_json(record.model_copy(update={"predicted": said, "environment": environment}))
    )
