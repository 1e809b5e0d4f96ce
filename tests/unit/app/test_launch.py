"""What a submit does around its trials."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agnews_ray.app import launch
from agnews_ray.app.launch import execute_study
from agnews_ray.app.prepare import PreparedStudy
from agnews_ray.app.teachers import Sources
from agnews_ray.cli.screen import SilentScreen
from agnews_ray.errors import DataError
from agnews_ray.plan.trials import Known, PlannedTrial
from agnews_ray.record.left_out import load_left_out
from agnews_ray.record.outputs import TestRows
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.spending import BudgetSpec
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_record
from tests.fakes.studies import a_study

ROWS = TestRows(
    texts=["a"],
    twin_in_test=[None],
    twin_in_train=[None],
    is_exact_in_test=[False],
    is_exact_in_train=[False],
)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A study of one trial that is finished already."""
    monkeypatch.setattr(launch, "audit_test_rows", lambda scanned: ROWS)
    store = StudyStore.at(a_study(tmp_path, seeds=(1,), variants=(("first", 0.9),)))
    store.test_rows_path.unlink()
    record = a_record("v0-s1")
    trial = PlannedTrial(
        trial_id="v0-s1",
        variant=record.variant,
        seed=1,
        device="cpu",
        precision="fp32",
        recipe=RecipeSpec(),
        num_steps=1,
    )
    scanned = SimpleNamespace(
        record=SimpleNamespace(fingerprint="f"), test=SimpleNamespace(num_rows=1)
    )
    return PreparedStudy(
        study=StudySpec(name="study"),
        store=store,
        cache=tmp_path,
        scanned=scanned,
        trials=(trial,),
        finished={},
        num_gpus=0,
        precisions={},
        sources=Sources(known=Known(weights={})),
    )


def test_test_rows_that_cannot_be_kept_do_not_lose_the_table(prepared):
    prepared.store.test_rows_path.mkdir()  # stands for a disk that takes nothing more
    outcome = execute_study(prepared, "submit", 0.0, SilentScreen())
    assert [record.trial_id for record in outcome.records] == ["v0-s1"]
    (note,) = outcome.notes
    assert note.startswith("the test rows, which reports need, were not kept")


def test_data_that_went_away_meanwhile_do_not_lose_the_table(prepared, monkeypatch):
    def audit(_):
        raise DataError("data", "a file", "none", "look")

    monkeypatch.setattr(launch, "audit_test_rows", audit)
    outcome = execute_study(prepared, "submit", 0.0, SilentScreen())
    assert outcome.records
    assert "were not kept" in outcome.notes[0]


def test_torn_test_rows_are_made_again(prepared):
    prepared.store.test_rows_path.write_bytes(b"PAR1 torn")
    assert execute_study(prepared, "submit", 0.0, SilentScreen()).notes == ()
    assert prepared.store.test_rows_path.stat().st_size > 100


def test_records_name_no_password_of_the_command_line(prepared):
    (prepared.store.trial_folder("v0-s1") / "record.json").unlink()
    seen = []

    def run(prepared, command, started_at, watcher, work):
        seen.append(command)
        return prepared, SimpleNamespace(finished=(), failed={}, left_out={})

    execute_study(prepared, "submit --address http://me:hunter2@host", 0.0, SilentScreen(), run)
    assert seen == ["submit --address http://host"]


def test_what_is_set_aside_is_noted_before_anything_is_run(prepared):
    (prepared.store.folder / "trials" / "v0-s1" / "record.json").write_bytes(b"")
    lines = []

    class Screen(SilentScreen):
        def note(self, text):
            lines.append(text)

    def run(prepared, *_):
        assert [trial.trial_id for trial in prepared.todo] == ["v0-s1"]
        assert "an empty file" in lines[0]
        return prepared, SimpleNamespace(finished=(), failed={}, left_out={})

    execute_study(prepared, "submit", 0.0, Screen(), run)
    assert len(lines) == 1


def test_what_the_budget_left_out_is_kept_beside_the_study(prepared):
    (prepared.store.trial_folder("v0-s1") / "record.json").unlink()
    study = prepared.study.model_copy(update={"budget": BudgetSpec(limit="30m")})

    def run(prepared, *_):
        return prepared, SimpleNamespace(finished=(), failed={}, left_out={"v0-s1": "too long"})

    budgeted = replace(prepared, study=study)
    outcome = execute_study(budgeted, "submit", 0.0, SilentScreen(), run)
    assert [(one.model, one.seed, one.budget) for one in outcome.left_out] == [("one", 1, "30m")]
    assert load_left_out(prepared.store.folder, ()) == outcome.left_out
