"""Weights & Biases: a project for each study, in it a run with the id ``trial_id`` for each trial.

Without an API key runs are written offline, to folders that ``wandb sync`` sends later. What was
sent cannot be asked for offline, and steps of a run cannot be sent twice, so a file beside the
runs keeps the digest of what was sent.
"""

import json
import netrc
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agnews_ray.record.durable import make_folder, write_whole
from agnews_ray.record.json_text import to_json
from agnews_ray.record.storage import without_secrets
from agnews_ray.track.tracked_trial import TrackedTrial
from agnews_ray.track.tracker import Change, Tracker, explained

if TYPE_CHECKING:
    from wandb import Run

USUAL_SERVER = "https://api.wandb.ai"
MARKS = "agnews-ray.json"
"""The file with the digests of what was sent, in the folder of the runs."""

MAX_TAG = 64
"""The longest tag that Weights & Biases takes, in characters."""


def open_here(uri: str | None, runs: Path) -> "WandbTracker":
    """Open a server (``http...``), or the folder for offline runs, by default the runs folder."""
    import wandb  # noqa: F401  # is it there, as a whole?

    is_server = uri is not None and uri.startswith(("http://", "https://"))
    server = (uri if is_server else None) or os.environ.get("WANDB_BASE_URL") or USUAL_SERVER
    folder = runs if uri is None or is_server else Path(uri)
    make_folder(folder / "wandb")
    mode = os.environ.get("WANDB_MODE") or ("online" if _has_key(server) else "offline")
    return WandbTracker(folder.absolute(), server, mode)


def _has_key(server: str) -> bool:
    """Whether the user has logged in, as ``wandb login`` leaves it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    with suppress(OSError, netrc.NetrcParseError):
        known = netrc.netrc(os.environ.get("NETRC"))
        return known.authenticators(urlsplit(server).hostname or "") is not None
    return False


class WandbTracker(Tracker):
    """Runs on a server, or offline in a folder.

    There are no live runs: steps that a server has cannot be replaced.

    Args:
        folder: the folder in which the library makes its folder ``wandb``.
        server: the address of the server.
        mode: online, offline, or what else the library's WANDB_MODE knows.
    """

    def __init__(self, folder: Path, server: str, mode: str) -> None:
        self._folder = folder
        self._server = server
        self._mode = mode
        self._marks_path = folder / "wandb" / MARKS
        self.destination = str(folder / "wandb") if mode == "offline" else without_secrets(server)

    def export(self, trial: TrackedTrial) -> Change:
        key = f"{self._mode} {trial.study} {trial.trial_id}"
        mark = self._marks().get(key, {})
        is_there = self._mode != "offline" or Path(mark.get("folder", "/none")).is_dir()
        if mark.get("digest") == trial.digest and is_there:
            return "unchanged"
        if self._mode == "offline" and "folder" in mark:
            shutil.rmtree(mark["folder"], ignore_errors=True)
        has_curves = self._mode != "offline" and mark.get("curves") == trial.curves_digest
        with explained("wandb", self.destination):
            run = self._start(trial)
            # Whoever finds no digest here sends the trial again, instead of a second run.
            sent = {"folder": str(Path(run.dir).parent), "curves": "", "digest": ""}
            self._keep(key, sent)
            for step, values in () if has_curves else trial.by_step():
                run.log(values, step=step)
            run.summary.update(dict(trial.scores))
            run.finish(exit_code=1 if trial.diverged else 0)
            self._keep(key, sent | {"curves": trial.curves_digest, "digest": trial.digest})
        return "updated" if mark.get("digest") else "new"

    def _start(self, trial: TrackedTrial) -> "Run":
        import wandb

        tags = [trial.variant, f"seed {trial.seed}", *(["diverged"] if trial.diverged else [])]
        project = os.environ.get("WANDB_PROJECT")
        return wandb.init(
            project=project or trial.study,
            group=trial.study if project else trial.variant,
            id=trial.trial_id,
            name=trial.name,
            notes=f"diverged: {trial.diverged}; it has no scores" if trial.diverged else None,
            config={**trial.parameters, **trial.tags},
            tags=[tag[:MAX_TAG] for tag in tags],
            dir=str(self._folder),
            mode=self._mode,
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(
                base_url=self._server,
                silent=True,
                console="off",
                disable_git=True,
                save_code=False,
                x_disable_stats=True,  # of this process, which only exports
            ),
        )

    def _marks(self) -> dict[str, Any]:
        try:
            found = json.loads(self._marks_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _keep(self, key: str, mark: Mapping[str, str]) -> None:
        write_whole(self._marks_path, to_json(self._marks() | {key: mark}) + "\n")

    def how_to_look(self, study: str) -> str:
        if self._mode == "offline":
            return f"wandb login, then wandb sync {self._folder}/wandb/offline-run-*"
        return f"{self.destination}, project {os.environ.get('WANDB_PROJECT') or study}"
