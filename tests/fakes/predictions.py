"""Probes, forecasts and trials by hand, for tests of what is predicted from them."""

from agnews_ray.plan.past_errors import Past
from agnews_ray.plan.probed import Probed, Workload
from agnews_ray.plan.time_forecast import Forecast
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import PredictionRecord
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_record


def a_probe(**changes):
    probe = Probed(
        rows_per_step=16,
        step_seconds=((10, 0.1), (100, 1.0)),
        first_seconds=0.0,
        seconds_per_shape=0.0,
        rows_per_forward=64,
        forward_seconds=((10, 0.1),),
        loading_seconds=1.0,
        saving_seconds=1.0,
        tokenizer="t",
        texts_per_second=1000.0,
        train_lengths=(10, 20, 30),
        test_lengths=(10, 20, 30),
        peak_memory_bytes=1 << 30,
        size_bytes=1 << 20,
        others_cores=0.0,
        probe_seconds=10.0,
    )
    return probe.model_copy(update=changes)


def a_workload(
    train_s=100.0, probe="p", tokenizer="t", tokenising_s=0.0, scoring_s=0.0, num_steps=100
):
    return Workload(
        train_s=train_s,
        validation_s=0.0,
        scoring_s=scoring_s,
        loading_s=0.0,
        saving_s=0.0,
        tokenizer=tokenizer,
        tokenising_s=tokenising_s,
        peak_memory_bytes=1 << 30,
        size_bytes=1 << 20,
        num_steps=num_steps,
        is_quiet=True,
        probe=probe,
    )


def a_forecast(startup_s=20.0, errors=(), **workloads):
    """A forecast of variants by name: each a workload, or its train seconds."""
    works = {
        name: a_workload(one, probe=name) if isinstance(one, int | float) else one
        for name, one in workloads.items()
    }
    past = Past(errors=tuple(errors), startups_s=(startup_s,))
    return Forecast(workloads=works, unmeasured={}, past=past)


def a_trial(name="one", seed=1, **changes):
    trial = {
        "trial_id": f"{name}-s{seed}",
        "variant": VariantSpec(model="minilm", name=name),
        "seed": seed,
        "device": "cpu",
        "precision": "fp32",
        "recipe": RecipeSpec(),
        "num_steps": 100,
    }
    return PlannedTrial(**(trial | changes))


def some_trials(*names, seeds=(1, 2)):
    return tuple(a_trial(name, seed) for name in names for seed in seeds)


def a_prediction(train_s=100.0, probe="p", measured_s=None, startup_s=0.0, num_steps=100):
    return PredictionRecord(
        train_seconds=train_s,
        train_seconds_low=train_s / 2,
        train_seconds_high=train_s * 2,
        measured_seconds=measured_s or train_s,
        num_learned_from=0,
        num_steps=num_steps,
        scoring_seconds=0.0,
        total_seconds=train_s + startup_s,
        startup_seconds=startup_s,
        peak_memory_bytes=1,
        size_bytes=1,
        probe=probe,
    )


def a_predicted_record(happened_s, total_s=None, num_steps=100, trial_id="x", **said):
    """A record of a trial with its prediction beside what happened."""
    record = a_record(trial_id=trial_id, predicted=a_prediction(**said), total_seconds=total_s)
    changes = {"train_seconds": happened_s, "num_steps": num_steps}
    return record.model_copy(update={"training": record.training.model_copy(update=changes)})
