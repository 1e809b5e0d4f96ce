"""The command, run in this process."""

from click.testing import CliRunner

from agnews_ray.cli.main import main


def run(*words, code=0, **variables):
    """Run ``agnews-ray`` with these words and variables; it must end with this code."""
    done = CliRunner(env=variables).invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output + done.stderr
    return done


def error(*words, **variables):
    """Run a request that must be refused without any output; give the last line on stderr."""
    done = run(*words, code=2, **variables)
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]
