"""What the benchmarks share: a model, rows and a recipe, made ready as `agnews-ray bench` does."""

from pathlib import Path

from agnews_ray.app import prepare
from agnews_ray.bench import rounds
from agnews_ray.bench.timing import TimingTask
from agnews_ray.data.scan import scan_dataset
from agnews_ray.record.storage import CACHE_FOLDER


def make_task(
    model: str, dataset: str, num_rows: int, num_threads: int, batch_size: int = 16
) -> TimingTask:
    """Prepare one epoch of the paper's recipe.

    Args:
        model: a folder, or an alias for fresh weights.
        dataset: as for `agnews-ray submit`.
        num_rows: train rows, a stratified sample.
        num_threads: CPU threads of each process.
        batch_size: rows per global batch.

    Returns:
        Everything an engine needs.
    """
    init = "pretrained" if Path(model).is_dir() else "random"
    flags = {
        "models": [{"model": model, "init": init}],
        "data.source": dataset,
        "data.limit_train": num_rows,
        "recipe.num_epochs": 1,
        "recipe.global_batch_size": batch_size,
    }
    study = prepare.read_study(None, flags)
    cache = Path("runs").absolute() / CACHE_FOLDER
    cache.mkdir(parents=True, exist_ok=True)
    scanned = scan_dataset(study.data, cache)
    return rounds.prepare_task(study.models[0], study, scanned, cache, num_threads)
