"""A disk that takes nothing more: one line, nothing half-written, and what there was stays."""

import resource
import subprocess
import sys
import textwrap

import pytest

from agnews_ray.record.store import StudyStore

WRITES = {
    "study": "store.save_study(StudySpec(name='study'))",
    "test rows": "store.save_test_rows(rows, 'f')",
    "record": "store.publish(a_record(), staged)",
    "costs": "save_costs(Path(staged), [cost])",
}
SETUP = """
    import resource, sys
    from pathlib import Path
    from agnews_ray.errors import StoreError
    from agnews_ray.record.cost import CostRecord, save_costs
    from agnews_ray.record.outputs import TestRows
    from agnews_ray.record.store import StudyStore
    from agnews_ray.spec.study import StudySpec
    from tests.fakes.records import a_record
    store = StudyStore(Path(sys.argv[1]), "study")
    staged = store.staging_folder("one")
    (Path(staged) / "predictions.parquet").touch()
    rows = TestRows(texts=["a"], twin_in_test=[None], twin_in_train=[None],
                    is_exact_in_test=[False], is_exact_in_train=[False])
    cost = CostRecord.model_construct(machine="m", device="cpu", num_threads=1, precision="fp32")
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))
    try:
        WRITE
    except StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("what", WRITES)
def test_a_write_that_the_system_refuses_is_one_line(tmp_path, what):
    """The limit on the size of files stands for a full disk: the write fails in its middle."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    code = textwrap.dedent(SETUP).replace("WRITE", WRITES[what])
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert "File too large" in line
    assert "ulimit -f" in line
    assert StudyStore(tmp_path, "study").finished().records == ()
    assert not list(tmp_path.rglob("*.partial"))
