"""How often checkpoints are made, as it is stated."""

import pytest
from pydantic import ValidationError

from agnews_ray.spec.recovery import RecoverySpec


@pytest.mark.parametrize(
    ("text", "steps", "seconds"),
    [
        ("auto", None, None),
        ("off", None, None),
        ("200 steps", 200, None),
        ("1 step", 1, None),
        ("90s", None, 90),
        ("1.5m", None, 90),
        ("2 min", None, 120),
        ("1h", None, 3600),
    ],
)
def test_an_interval_is_read(text, steps, seconds):
    spec = RecoverySpec(checkpoint_every=text)
    assert (spec.steps, spec.seconds) == (steps, seconds)


@pytest.mark.parametrize("text", ["often", "0 steps", "1.5 steps", "-5m", "5", "", "200steps 3"])
def test_another_text_is_refused(text):
    with pytest.raises(ValidationError, match="want"):
        RecoverySpec(checkpoint_every=text)
