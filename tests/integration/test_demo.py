"""The README's first command, as a newcomer would run it, and the notebook on what it leaves."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.integration


def test_the_demos_two_models_learn(demo):
    assert (demo.submitted.returncode, demo.submitted.err) == (0, "")
    rows = json.loads(demo.submitted.out)["rows"]
    assert [row["model"] for row in rows] == ["distilbert-demo", "minilm-demo"]
    assert all(0.7 < row["accuracy"] < 0.99 for row in rows)  # guessing gives 0.25
    assert all(row["padding_share"] < 0.05 for row in rows)


def tracked_in(demo, name):
    (found,) = [one for one in json.loads(demo.submitted.out)["tracked"] if one["tracker"] == name]
    return found


def test_the_curves_are_in_tensorboard_when_it_ends(demo):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="the extra tensorboard is not installed",
    )
    tracked = tracked_in(demo, "tensorboard")
    for trial_id in tracked["runs"]:
        folder = demo.folder / "runs" / "tensorboard" / "demo" / trial_id
        read = accumulator.EventAccumulator(str(folder), {"scalars": 0}).Reload()
        trial = demo.folder / "runs" / "demo" / "trials" / trial_id
        record = json.loads((trial / "record.json").read_text())
        assert len(read.Scalars("train/loss")) == record["training"]["num_steps"]
        assert read.Scalars("test/accuracy")[0].value == pytest.approx(record["test"]["accuracy"])
    assert len(tracked["runs"]) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SQLAlchemy, to MLflow
def test_each_trial_is_one_run_in_mlflow_when_it_ends(demo):
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    client = mlflow.MlflowClient(f"sqlite:///{demo.folder}/runs/mlflow.db")
    experiment = client.get_experiment_by_name("demo")
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["trial_id"] for run in runs) == sorted(
        tracked_in(demo, "mlflow")["runs"]
    )
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert "minilm-demo" in experiment.tags["verdict"]


def test_the_notebook_walks_from_the_table_to_the_decision(demo):
    folder = demo.folder / "notebooks"
    notebook = nbformat.read(folder / "read_a_study.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert not any(word in cell.source for cell in code for word in ("def ", "for _ in", "np."))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    kinds = [kind for cell in code for out in cell.outputs for kind in out.get("data", {})]
    assert kinds.count("image/png") >= 7
    shown = "".join(str(out.get("data", {})) for cell in code for out in cell.outputs)
    assert "distilbert-demo" in shown
