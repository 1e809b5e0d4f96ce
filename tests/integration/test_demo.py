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
