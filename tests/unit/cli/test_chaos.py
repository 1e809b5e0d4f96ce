"""The command shows what it would do."""

from click.testing import CliRunner

from agnews_ray.cli.main import main


def test_a_dry_run_shows_the_faults(tmp_path):
    words = ["chaos", "--dry-run", "--faults", "3", "--kinds", "worker", "--runs", str(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("study chaos: 2 trial(s) of up to 200 steps")
    assert [line.split()[0] for line in lines[1:]] == ["worker"] * 3


def test_an_unknown_kind_is_refused():
    done = CliRunner().invoke(main, ["chaos", "--kinds", "worker,wrker"])
    assert done.exit_code == 2
    assert "want some of worker, driver" in done.output
