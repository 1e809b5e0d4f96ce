"""The entry point of the command ``agnews-ray``, and of ``python -m agnews_ray``."""

import signal
import sys


def run() -> None:
    """Run the command in this process."""
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # Ctrl-C prints no traceback while modules are imported
    from agnews_ray.cli.interrupts import catch_signals
    from agnews_ray.cli.main import main
    from agnews_ray.cli.streams import make_lenient

    make_lenient()
    catch_signals()
    main()


def _forget_working_folder() -> None:
    """Remove the working folder, where `python -m` searches first, from the search path."""
    if not sys.flags.safe_path:
        folder = sys.path.pop(0)
        if not any(finder.find_spec("agnews_ray", None) for finder in sys.meta_path):
            sys.path.append(folder)  # a checkout that is not installed


if __name__ == "__main__":
    _forget_working_folder()
    run()
