"""The facts saved with an artifact, so that its folder is enough to use it as it was trained."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from agnews_ray.errors import StoreError
from agnews_ray.record.json_text import to_json

FILE_NAME = "agnews_ray.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFacts:
    """The facts about a trained classifier that its use needs."""

    class_names: tuple[str, ...]
    """The names of the classes, in label order."""
    max_length_tokens: int
    """The length of the longest row, special tokens included."""
    text_columns: tuple[str, ...]
    """The columns of the data that were joined by a space into the text."""
    label_kind: str
    """The kind of labels in the data."""

    def write(self, folder: Path) -> None:
        """Write the facts to an artifact's folder."""
        (folder / FILE_NAME).write_text(to_json(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "ArtifactFacts | None":
        """Read the facts of an artifact.

        Args:
            folder: the artifact's folder.

        Returns:
            The facts; None for an old artifact, which was saved without them.

        Raises:
            StoreError: the file is damaged.
        """
        path = folder / FILE_NAME
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                class_names=tuple(map(str, content["class_names"])),
                max_length_tokens=int(content["max_length_tokens"]),
                text_columns=tuple(map(str, content["text_columns"])),
                label_kind=str(content["label_kind"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            hint = "delete the trial's folder and submit again"
            found = f"{type(error).__name__}: {error}"
            raise StoreError(str(path), "the facts about the artifact", found, hint) from error
