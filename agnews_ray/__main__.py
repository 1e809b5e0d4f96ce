"""``python -m agnews_ray``: the same command as ``agnews-ray``."""

import sys

if not sys.flags.safe_path:
    # `python -m` looks into the working folder first: a `datasets.py` there is not the library.
    folder = sys.path.pop(0)
    if not any(finder.find_spec("agnews_ray", None) for finder in sys.meta_path):
        sys.path.append(folder)  # a checkout that is not installed

from agnews_ray.cli.main import main

main()
