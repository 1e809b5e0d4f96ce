import subprocess
import sys


def test_a_submit_that_probes_has_not_imported_ray_yet():
    """Ray reads its settings at import, and a Ray of our own gets its token only afterwards."""
    code = (
        "import sys\n"
        "from agnews_ray.app import afford, forecast_study, launch, prepare\n"
        "from agnews_ray.bench import probe_process\n"
        "from agnews_ray.cli import ask_budget, cost_text\n"
        "print([m for m in ('ray', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
