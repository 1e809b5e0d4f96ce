import pytest

from agnews_ray.spec.shares import in_percent, read_share


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("1%", 0.01),
        ("0.3%", 0.003),
        (" 30 % ", 0.3),
        ("0.07", 0.07),
        (0.5, 0.5),
        ("100%", 1),
        (1, 1),
    ],
)
def test_a_share_is_read_in_both_spellings(written, share):
    assert read_share(written) == share


def test_both_spellings_are_the_same_number():
    """Or one trial would have two ids."""
    for number in range(1, 1000):
        assert read_share(f"{number / 10:.1f}%") == float(f"{number / 1000:.3f}")


@pytest.mark.parametrize(
    "written", ["0%", "200%", "a", "", "%", "-1%", "nan", "inf%", 3, True, [1], "1e-400"]
)
def test_what_is_no_share_is_refused(written):
    with pytest.raises(ValueError, match="want a share above 0% and up to 100%"):
        read_share(written)


def test_a_share_is_written_back_as_a_user_would():
    assert [in_percent(share) for share in (0.07, 1.0, 0.003)] == ["7%", "100%", "0.3%"]
