import numpy as np
import pytest

from agnews_ray.app.prepare import prepare_study, read_study
from agnews_ray.bench import probe_tasks
from agnews_ray.bench.probe_request import ProbeRequest
from agnews_ray.bench.probe_tasks import ProbeTasks
from agnews_ray.run.inputs import InputCache

SIZES = {
    "num_layers": 1,
    "hidden_size": 32,
    "num_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 200,
}
TINY = {"name": "tiny", "model": "minilm", "init": "random", "architecture": SIZES}
LOST = {"name": "lost", "model": "no/such-folder-or-hub-id"}


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    flags = {"models": [TINY, LOST], "data.source": "synthetic:train=300,test=40,seed=1"}
    prepared = prepare_study(read_study(None, flags), tmp_path / "runs")
    study, scanned = prepared.study, prepared.scanned
    request = ProbeRequest(
        scanned=scanned,
        data=study.data,
        cache=prepared.cache,
        trials=prepared.trials,
        num_threads=1,
        num_workers=1,
    )
    inputs = InputCache(scanned, study.data, prepared.cache, lambda *_: None)
    return ProbeTasks(request, inputs)


def test_a_task_has_rows_of_the_whole_split_as_the_tokenizer_makes_them(tasks, monkeypatch):
    monkeypatch.setattr(probe_tasks, "NUM_TRAIN_ROWS", 100)
    task = tasks.make_all()["tiny"]
    assert np.array_equal(task.train.rows, np.arange(0, 300, 3))
    assert len(task.test) == 40
    assert task.train.lengths.min() > 2
    assert task.texts_per_second > 0


def test_a_variant_whose_tokenizer_is_not_there_says_so_and_others_have_a_task(tasks):
    found = tasks.make_all()
    assert isinstance(found["lost"], str)
    assert found["lost"].startswith("HubError: model 'no/such-folder-or-hub-id'")
    assert not isinstance(found["tiny"], str)
