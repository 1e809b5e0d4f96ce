"""A pseudo-terminal whose screen can be read, as a person would."""

import sys

import pexpect
import pyte

LINES = 60


def on_terminal(words, folder, environment, columns=100, timeout_s=600):
    """Run Python with these words on a terminal; give its exit code and the lines left there.

    They are those that a person could scroll back to, without trailing spaces and empty ones.
    """
    process = pexpect.spawn(
        sys.executable,
        [str(word) for word in words],
        cwd=str(folder),
        env={**environment, "TERM": "xterm-256color", "COLUMNS": str(columns)},
        dimensions=(LINES, columns),
        timeout=timeout_s,
        encoding="utf-8",
    )
    process.expect(pexpect.EOF)
    process.close()
    screen = pyte.HistoryScreen(columns, LINES, history=10_000, ratio=1)
    pyte.Stream(screen).feed(process.before)
    above = ["".join(line[x].data for x in range(columns)) for line in screen.history.top]
    left = (line.rstrip() for line in [*above, *screen.display])
    return process.exitstatus, [line for line in left if line]
