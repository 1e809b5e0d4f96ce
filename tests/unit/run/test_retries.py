from agnews_ray.run.retries import Failure, Retries


def a_failure(kind="lost worker", text="gone", step=0, phase="training"):
    return Failure(kind=kind, text=text, step=step, phase=phase)


def again(retries, *failures):
    return [retries.starts_again(failure) is not None for failure in failures]


def test_a_lost_worker_counts_and_a_preemption_does_not():
    lost = [a_failure(step=step) for step in (0, 0, 9)]
    preempted = [a_failure("preempted")] * 5
    assert again(Retries(max_failures=2), *preempted, *lost) == [True] * 7 + [False]


def test_what_the_user_must_change_and_memory_that_ray_freed_are_not_tried_again():
    assert (
        again(Retries(max_failures=9), a_failure("ours"), a_failure("full memory")) == [False] * 2
    )


def test_the_same_error_at_the_same_step_ends_the_trial():
    first, second = (a_failure("error", "ValueError: x", step) for step in (7, 9))
    assert again(Retries(max_failures=9), first, second, second) == [True, True, False]
    other = a_failure("error", "ValueError: y", 9)
    assert again(Retries(max_failures=9), second, other) == [True, True]


def test_so_does_a_worker_that_is_lost_at_the_same_step_but_not_at_the_start():
    assert again(Retries(max_failures=9), a_failure(), a_failure()) == [True, True]
    assert again(Retries(max_failures=9), a_failure(step=7), a_failure(step=7)) == [True, False]


def test_a_full_gpu_halves_the_rows_of_a_pass_down_to_one():
    retries, found = Retries(max_failures=0, max_passes=6), []
    while retries.starts_again(a_failure("full GPU", step=3)):
        found.append(retries.passes)
    assert found == [2, 4, 6]


def test_passes_do_not_help_where_nothing_is_trained():
    retries = Retries(max_failures=3, max_passes=6)
    assert again(retries, a_failure("full GPU", phase="scoring")) == [False]


def test_steps_are_not_recorded_after_a_recording_broke_once():
    retries = Retries(max_failures=0)
    broken = a_failure("recording", "captured")
    assert again(retries, broken, broken) == [True, False]
    assert retries.unrecorded == "captured"
