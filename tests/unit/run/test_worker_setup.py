import pytest

from agnews_ray.errors import StoreError
from agnews_ray.run.worker_setup import started_from
from agnews_ray.spec.distillation import StudentSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.token_rows import some_rows


@pytest.fixture
def setup(lone_rank):
    setup = lone_rank("t", {"train-0": some_rows(8)})
    yield setup
    setup.close()


def test_a_variant_that_starts_from_another_trial_is_made_no_smaller_again(tmp_path):
    student = StudentSpec(num_layers=1)
    variant = VariantSpec(model="minilm", name="one", engine="reference", student=student)
    started = started_from(variant, tmp_path, keeps_head=False)
    assert (started.model, started.name, started.engine) == (str(tmp_path), "one", "reference")
    assert (started.student, started.init, started.keep_head) == (None, "pretrained", False)
    assert started_from(variant, tmp_path, keeps_head=True).keep_head
    assert started_from(variant, None, keeps_head=True) is variant


def test_a_trials_artifact_is_read_where_it_is(setup, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with setup.model_folder(str(tmp_path)) as folder:
        assert folder == tmp_path
    with setup.model_folder(None) as folder:
        assert folder is None


def test_an_artifact_that_is_gone_is_named(setup, tmp_path):
    with (
        pytest.raises(StoreError, match=r"gone: want what another trial left"),
        setup.model_folder(str(tmp_path / "gone")),
    ):
        pass


def test_a_lone_rank_is_the_first_of_one(setup):
    assert (setup.rank.index, setup.rank.world_size, setup.num_machines()) == (0, 1, 1)
