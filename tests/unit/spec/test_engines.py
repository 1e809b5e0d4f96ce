from typing import get_args

import pytest

from agnews_ray.spec.engines import ENGINES, Engine


def test_every_name_has_its_rules():
    assert tuple(ENGINES) == get_args(Engine)


@pytest.mark.parametrize(
    ("engine", "num_workers", "is_held", "expected"),
    [
        ("fast", 4, False, True),
        ("reference", 1, True, True),
        ("reference", 2, True, False),
        ("reference-best", 1, False, False),
    ],
)
def test_what_an_engine_can_train(engine, num_workers, is_held, expected):
    assert ENGINES[engine].can_train(num_workers, is_held) is expected
