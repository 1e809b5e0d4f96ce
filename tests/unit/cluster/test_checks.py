from agnews_ray.cluster.checks import failed, passed, warned


def test_levels_carry_their_hints():
    assert failed("a", "b", "c").level == "error"
    assert warned("a", "b", "c").hint == "c"
    assert (passed("a", "b").level, passed("a", "b").hint) == ("ok", "")
