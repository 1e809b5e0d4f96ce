import subprocess
import sys

import pytest

from agnews_ray.cli.main import main
from tests.fakes.command import run
from tests.fakes.studies import a_study

SUBMIT_OPTIONS = """
--models --init --engine --teacher --temperature --soft-weight --transfer
--dataset --test-dataset --text-column --label-column --label-base
--class-names --max-length --limit-train --limit-test --validation-fraction --seeds --epochs
--curve --patience --min-delta --learning-rate --label-smoothing --class-weights
--global-batch-size --precision --num-workers
--device --validation --test-fraction --config --delimiter --quote --encoding --header
--budget --price-per-hour --what-fits --checkpoint-every --max-failures
--name --runs --dry-run --json --quiet --address --storage --follow --track
""".split()


OF_RUNNING = {"--dry-run", "--quiet", "--address", "--storage", "--follow", "--track"}
"""What only ``submit`` has, and ``plan``, which takes all that describes a study, has not."""

PRICES = ("--price-per-hour", "--train-price-per-hour")
OTHER_OPTIONS = {
    "bench": {
        "--models",
        "--init",
        "--dataset",
        "--rows",
        "--rounds",
        "--precision",
        "--device",
        "--runs",
        "--format",
    },
    "clean": {"--runs", "--caches", "--checkpoints", "--all", "--yes", "--json"},
    "cluster": set(),
    "compare": {"--format"},
    "doctor": {"--address", "--storage", "--json"},
    "execute": {"--storage", "--command", "--tune"},
    "fetch": {"--runs", "--address", "--json"},
    "jobs": {"--address", "--json"},
    "logs": {"--follow", "--trial", "--all", "--address", "--json"},
    "measure": {"--rows", "--device", "--precision", *PRICES, "--json"},
    "probe": {"--storage", "--hub-ids"},
    "report": {"--format", "--output", "--metric", "--margin", "--alpha", *PRICES},
    "status": {"--address", "--json"},
    "stop": {"--address", "--json"},
    "studies": {"--json"},
    "tune": {
        *SUBMIT_OPTIONS,
        "--num-trials",
        "--tune-seeds",
        "--searcher",
        "--scheduler",
        "--metric",
    },
    "track": {"--to", "--uri", "--json"},
    "verify": {"--against", "--json"},
}
HIDDEN = {"execute", "probe"}
"""What a job runs; not in the help."""


def test_the_options_are_these_and_no_others():
    options = {
        verb: {name for p in command.params for name in p.opts if name.startswith("--")}
        for verb, command in main.commands.items()
    }
    plan = set(SUBMIT_OPTIONS) - OF_RUNNING | {"--fresh"}
    assert options == {"submit": set(SUBMIT_OPTIONS), "plan": plan, **OTHER_OPTIONS}


@pytest.mark.parametrize(
    "words", [["--help"], *([verb, "--help"] for verb in main.commands if verb not in HIDDEN)]
)
def test_help_teaches_and_loads_neither_ray_nor_torch(words):
    code = (
        "import sys\nfrom agnews_ray.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "heavy = ('ray', 'torch', 'transformers', 'pyarrow', 'scipy')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "agnews-ray" in done.stdout


def test_compare_and_report_load_neither_ray_nor_torch(tmp_path):
    folder = a_study(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from agnews_ray.app.analyse import assess_study, compare_study\n"
        "from agnews_ray.report import documents, page, table_formats\n"
        f"folder = Path({str(folder)!r})\n"
        "table_formats.to_plain(compare_study(folder)); page.to_html(assess_study(folder))\n"
        "print([m for m in ('ray', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_debug_shows_the_traceback(tmp_path):
    done = run("--debug", "compare", str(tmp_path), code=2)
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
