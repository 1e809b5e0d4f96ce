"""``agnews-ray track``: bring finished trials into an experiment tracker; ``submit --track``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agnews_ray.cli.compare import tell_left_out

if TYPE_CHECKING:
    from agnews_ray.app.live_tracking import TrackingWatcher
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.app.track_study import Tracked
    from agnews_ray.run.watcher import StudyWatcher
    from agnews_ray.track.tracker import Tracker

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")

track_option = click.option(
    "--track",
    "track_to",
    type=click.Choice(TRACKERS),
    multiple=True,
    help="Follow the study in a tracker; may be repeated. Live curves (but in wandb), and each "
    'trial as soon as it is finished. Needs an extra: pip install "agnews-ray[mlflow]".',
)


@click.command(
    epilog="""\b
Examples:
  agnews-ray track runs/demo --to tensorboard     then: tensorboard --logdir runs/tensorboard
  agnews-ray track runs/* --to mlflow             every study; into runs/mlflow.db
  agnews-ray track runs/demo --to mlflow --uri http://127.0.0.1:5000
  agnews-ray track s3://bucket/runs/demo --to wandb
  agnews-ray track runs/demo --to trackio --json | jq '.[].runs'"""
)
@click.argument("studies", nargs=-1, required=True, metavar="STUDY...")
@click.option("--to", "name", type=click.Choice(TRACKERS), required=True, help="The tracker.")
@click.option(
    "--uri",
    metavar="URI|FOLDER",
    help="Where the runs go. mlflow: sqlite:///FILE.db or a server [MLFLOW_TRACKING_URI, else "
    "mlflow.db beside the study]; tensorboard: a folder [tensorboard beside the study]; wandb: a "
    "server, or a folder for offline runs [the server if you are logged in]; trackio: a folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def track(studies: Sequence[str], name: str, uri: str | None, as_json: bool) -> None:
    """Bring the finished trials of each STUDY (runs/<study>, or its URI) into a tracker.

    Each trial is one run, with the tag trial_id: settings, curves, scores with 95 % intervals over
    the test rows, measured costs, and where the model is. Records are the truth: a second call
    adds nothing, and a trial that was measured since is updated. This command needs neither Ray
    nor torch, but the tracker's extra: pip install "agnews-ray[mlflow]".
    """
    from agnews_ray.app.track_study import check_studies, track_study
    from agnews_ray.record.json_text import to_json
    from agnews_ray.track.tracker import check_installed, open_tracker

    check_installed([name])
    wanted = _with_study(studies)
    check_studies(wanted)
    opened: dict[Path, Tracker] = {}
    tracked = []
    for study in wanted:
        runs = runs_folder(study)
        if runs not in opened:
            opened[runs] = open_tracker(name, uri, runs)
        tracked.append(track_study(study, name, opened[runs], tell_left_out))
        if not as_json:
            click.echo(str(tracked[-1]))
    if as_json:
        click.echo(to_json([asdict(one) for one in tracked]))
    else:
        show_look(tracked)


def _with_study(studies: Sequence[str]) -> list[str]:
    """Leave out what a shell's ``runs/*`` names beside the studies; a lone name is always tried."""
    if len(studies) == 1:
        return list(studies)
    found = [s for s in studies if "://" in s or Path(s, "study.yaml").is_file()]
    return found or list(studies)


def runs_folder(study: str) -> Path:
    """Return the folder beside a study for a tracker's files; for a URI, runs/ here."""
    return Path("runs") if "://" in study else Path(study).absolute().parent


def show_look(tracked: "Sequence[Tracked]") -> None:
    """Print how to look at the runs, each way once."""
    for line in dict.fromkeys(one.look for one in tracked if one.runs):
        click.echo(f"look: {line}")


def check_tracking(names: Sequence[str], address: str | None) -> None:
    """Check ``--track`` before anything is read.

    Raises:
        UsageError: the study would run on a cluster.
        TrackerError: a tracker is not installed.
    """
    if not names:
        return
    if address:
        raise click.UsageError(
            "--track follows runs on this machine; for a run on a cluster, leave it out, then: "
            "agnews-ray fetch JOB, and agnews-ray track runs/STUDY --to " + names[0]
        )
    from agnews_ray.track.tracker import check_installed

    check_installed(names)


@contextmanager
def tracked_too(
    screen: "StudyWatcher", prepared: "PreparedStudy", names: Sequence[str]
) -> "Iterator[TrackingWatcher]":
    """Open the trackers of ``--track``, and follow the study in them beside the screen.

    Raises:
        TrackerError: a tracker does not answer; nothing was started.
    """
    from agnews_ray.app.live_tracking import tracking
    from agnews_ray.track.tracker import open_tracker

    location = prepared.store.location
    trackers = {name: open_tracker(name, None, runs_folder(location)) for name in names}
    with tracking(screen, location, prepared.study.name, trackers) as watcher:
        yield watcher


def show_tracked(watcher: "TrackingWatcher") -> None:
    """Print what is in the trackers of ``--track``, and how to look at it."""
    for one in watcher.tracked:
        click.echo(f"{len(one.runs)} run(s) in {one.tracker}, {one.destination}")
    show_look(watcher.tracked)
