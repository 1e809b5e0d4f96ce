#!/bin/sh
# What of our own code do tests run? Lines and branches, programs started by tests included.
#
#     benchmarks/coverage.sh [PACKAGES] [PYTEST ARGUMENTS]
#
# PACKAGES: of agnews_ray, "cli app" if not given. PYTEST ARGUMENTS: all unit tests if not given.
# Prints a line for each module with the lines that were not run. coverage.py goes to
# build/coverage, beside this environment's own libraries.
set -eu
cd "$(dirname "$0")/.."
root=$PWD work=$PWD/build/coverage python=${PYTHON:-.venv/bin/python}
packages=${1:-cli app}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- tests/unit
mkdir -p "$work"
[ -d "$work/lib" ] || "$python" -m pip install --quiet --no-deps --target "$work/lib" coverage==7.17.5
cat >"$work/rc" <<END
[run]
data_file = $work/data
source = $root/agnews_ray
branch = true
parallel = true
patch = subprocess
END
# A program that a test starts finds coverage.py by PYTHONPATH, where .pth files are not read.
printf 'import coverage\n\ncoverage.process_startup()\n' >"$work/lib/sitecustomize.py"
rm -f "$work"/data*
export PYTHONPATH="$root:$work/lib"
"$python" -m coverage run --rcfile="$work/rc" -m pytest "$@" || echo "some tests failed" >&2
"$python" -m coverage combine --quiet --rcfile="$work/rc"
include=$(for name in $packages; do printf '%s/agnews_ray/%s/*,' "$root" "$name"; done)
"$python" -m coverage report --rcfile="$work/rc" --show-missing --include="${include%,}"
