"""Where the command ``agnews-ray`` begins; ``python -m agnews_ray`` is the same."""

import signal
import sys


def run() -> None:
    """Run the command in this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback while modules are imported
    from agnews_ray.cli.interrupts import catch_signals
    from agnews_ray.cli.main import main
    from agnews_ray.cli.streams import make_lenient

    make_lenient()
    catch_signals()
    main()


def _forget_working_folder() -> None:
    """Undo that `python -m` looks there first: a `datasets.py` there is not the library."""
    if not sys.flags.safe_path:
        folder = sys.path.pop(0)
        if not any(finder.find_spec("agnews_ray", None) for finder in sys.meta_path):
            sys.path.append(folder)  # a checkout that is not installed


if __name__ == "__main__":
    _forget_working_folder()
    run()
