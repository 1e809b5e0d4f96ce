"""Look up every pinned dependency in the database of known weaknesses (pip-audit).

Where the database does not answer, this says so and succeeds: it must not fail offline. pip-audit
itself reports a package that it could not look up as skipped, and then "no known vulnerabilities".
"""

import json
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
HOME = ROOT / ".venv-audit"
TIMEOUT_S = 300
KNOWN_WEAK = "https://pypi.org/pypi/requests/2.19.0/json"
"""What the database that pip-audit asks says of a release with known weaknesses."""


def main() -> int:
    """Run the audit; return the exit code."""
    try:
        with urllib.request.urlopen(KNOWN_WEAK, timeout=10) as answer:
            is_there = bool(json.load(answer)["vulnerabilities"])
    except (OSError, ValueError, KeyError):
        is_there = False
    if not is_there:  # asking for each of 200 packages would take minutes
        return skip("the database does not know a release with known weaknesses")
    tool = HOME / "bin" / "pip-audit"
    if not tool.exists():
        venv.create(HOME, with_pip=True)
        install = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "pip-audit"]
        if _run(install).returncode:
            return skip("pip-audit cannot be installed here")
    words = [str(tool), "-r", str(LOCK), "--no-deps", "--disable-pip", "-f", "json"]
    return judge(_run(words).stdout)


def judge(output: str) -> int:
    """Print what pip-audit's JSON says; 1 if a weakness is known, else 0."""
    try:
        entries = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return skip("the database does not answer")
    looked_up = [one for one in entries if "skip_reason" not in one]
    if not looked_up:
        return skip(f"the database knows none of {len(entries)} packages, so it was not reached")
    weak = [(one, fault) for one in looked_up for fault in one["vulns"]]
    for one, fault in weak:
        better = ", ".join(fault["fix_versions"]) or "none yet"
        print(f"{one['name']} {one['version']}: {fault['id']}, mended in {better}")
    for one in entries:
        if "skip_reason" in one:
            print(f"not looked up: {one['name']}")
    print(f"audit: {len(looked_up)} of {len(entries)} looked up, {len(weak)} known weaknesses")
    return 1 if weak else 0


def skip(reason: str) -> int:
    """Say that nothing was audited, and why."""
    print(f"audit: SKIPPED, nothing was audited: {reason}")
    return 0


def _run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))


if __name__ == "__main__":
    sys.exit(main())
