from agnews_ray.record.left_out import LEFT_OUT_FILE, LeftOutTrial, load_left_out, save_left_out


def a_left_out_trial(trial_id="one-s2"):
    return LeftOutTrial(trial_id=trial_id, model="one", seed=2, budget="30m", reason="too long")


def test_what_was_left_out_is_read_again(tmp_path):
    save_left_out(tmp_path, [a_left_out_trial()])
    assert load_left_out(tmp_path, []) == (a_left_out_trial(),)


def test_a_trial_that_was_run_since_is_left_out_no_more(tmp_path):
    save_left_out(tmp_path, [a_left_out_trial("one"), a_left_out_trial("two")])
    assert load_left_out(tmp_path, ["one"]) == (a_left_out_trial("two"),)


def test_a_later_submit_that_leaves_nothing_out_says_so(tmp_path):
    save_left_out(tmp_path, [a_left_out_trial()])
    save_left_out(tmp_path, [])
    assert load_left_out(tmp_path, []) == ()


def test_a_study_that_leaves_nothing_out_has_no_file(tmp_path):
    save_left_out(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_holds_up_no_report(tmp_path):
    (tmp_path / LEFT_OUT_FILE).write_text("{")
    assert load_left_out(tmp_path, []) == ()
