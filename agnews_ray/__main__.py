"""Where the command ``agnews-ray`` begins; ``python -m agnews_ray`` is the same."""

import signal


def run() -> None:
    """Run the command in this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback while modules are imported
    from agnews_ray.cli.interrupts import catch_signals
    from agnews_ray.cli.main import main
    from agnews_ray.cli.streams import make_lenient

    make_lenient()
    catch_signals()
    main()


if __name__ == "__main__":
    run()
