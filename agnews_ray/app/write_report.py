"""Use case: write a study's report to the user's place, without Ray and torch."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from agnews_ray.compare.assessment import Assessment
from agnews_ray.errors import StoreError
from agnews_ray.record.json_text import to_json
from agnews_ray.report.documents import Files, to_csv, to_latex, to_markdown

Format = Literal["html", "markdown", "latex", "csv", "json"]
FOLDERS: dict[str, Callable[[Assessment], Files]] = {
    "markdown": to_markdown,
    "latex": to_latex,
    "csv": to_csv,
}
MARKER = ".agnews-ray-report"
"""The file that marks a report folder, which may be replaced."""
SUFFIXES = {"html": ".html", "json": ".json"}


def write_report(assessment: Assessment, report_format: Format, output: Path) -> Path:
    """Write a report completely: an earlier one is replaced, or stays unchanged.

    Args:
        assessment: the study's assessment.
        report_format: html and json are one file, the others a folder of files.
        output: the file or folder.

    Returns:
        The file to open first.

    Raises:
        StoreError: it cannot be written there.
    """
    if not output.name:
        output = output.resolve()  # such as "."
    is_folder = report_format in FOLDERS
    if output.exists() and output.is_dir() != is_folder:
        wanted, found = ("a folder", "a file") if is_folder else ("a file", "a folder")
        raise StoreError(str(output), f"{wanted} to write", found, "choose another --output")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if is_folder:
            return _write_folder(FOLDERS[report_format](assessment), output)
        content = _single_file(assessment, report_format)
        partial = output.with_name(f".{output.name}.partial")
        partial.write_text(content, encoding="utf-8")
        return partial.replace(output)
    except OSError as error:
        hint = "choose another place with --output"
        reason = error.strerror or str(error)
        raise StoreError(str(output), "a place to write the report", reason, hint) from error


def default_output(folder: Path, report_format: Format) -> Path:
    """Return the default place of a study's report, inside the study's folder."""
    if report_format in SUFFIXES:
        return folder / f"report{SUFFIXES[report_format]}"
    return folder / f"report-{report_format}"


def _single_file(assessment: Assessment, report_format: Format) -> str:
    if report_format == "json":
        return to_json(assessment) + "\n"
    from agnews_ray.report.page import to_html

    return to_html(assessment)


def _write_folder(files: Files, output: Path) -> Path:
    """Write the files; only an empty folder or an earlier report is replaced."""
    if output.exists() and any(output.iterdir()) and not (output / MARKER).is_file():
        hint = "choose another folder with --output"
        raise StoreError(str(output), "a new folder, or an earlier report", "other files", hint)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".report-") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        (new / MARKER).touch()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if output.exists():
            shutil.move(output, Path(scratch) / "old")
        new.replace(output)
    return output / next(iter(files))
