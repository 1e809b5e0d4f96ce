import pytest

from agnews_ray.engine.rehearsal import FAST, REFERENCE, UNRECORDED, Proof
from agnews_ray.errors import ResourceError
from agnews_ray.run.choice import choose

WORKS = Proof(engine=FAST)
NO_GRAPHS = Proof(engine=UNRECORDED, cause="RuntimeError: capture")
WRONG = Proof(engine=REFERENCE, cause="the fast engine's loss at step 2 is 1.0000")


@pytest.mark.parametrize(
    ("proofs", "unrecorded", "is_recordable", "engine", "cause"),
    [
        ([WORKS, WORKS], None, True, FAST, None),
        ([WORKS], "AGNEWS_RAY_CUDA_GRAPHS is 0", True, UNRECORDED, "AGNEWS_RAY_CUDA_GRAPHS is 0"),
        ([WORKS, NO_GRAPHS], None, True, UNRECORDED, "RuntimeError: capture"),
        ([WORKS], "OutOfMemoryError", False, FAST, None),
        ([NO_GRAPHS], None, False, FAST, None),
        ([NO_GRAPHS, WRONG], None, True, REFERENCE, "loss at step 2"),
        ([WRONG], None, False, REFERENCE, "loss at step 2"),
    ],
)
def test_all_ranks_run_what_every_machine_is_good_for(
    proofs, unrecorded, is_recordable, engine, cause
):
    chosen = choose(proofs, unrecorded, is_recordable, may_refer=True)
    assert chosen.engine == engine
    assert chosen.cause is None if cause is None else cause in chosen.cause


def test_what_the_reference_engine_cannot_train_is_refused():
    with pytest.raises(ResourceError, match=r"loss at step 2.*--num-workers 1"):
        choose([WRONG], None, is_recordable=True, may_refer=False)
