"""``python -m agnews_ray``: the same command as ``agnews-ray``."""

from agnews_ray.cli.main import main

main()
