"""A dataset of the Hugging Face hub, loaded by ``datasets`` and kept as Parquet in the cache."""

import logging
import re
from pathlib import Path
from typing import Any

from agnews_ray.compat.of_datasets import fingerprint
from agnews_ray.data.cached import cache_key, kept_folder
from agnews_ray.errors import OFFLINE_WAYS, DataError, HubError
from agnews_ray.plan.names import slug
from agnews_ray.spec.data import DataSpec

HUB_ALIASES = {"ag_news": "fancyzhx/ag_news", "agnews": "fancyzhx/ag_news"}
DATA_OFFLINE = f"{OFFLINE_WAYS}, or pass a local folder or file with --dataset"
VALIDATION_NAMES = ("validation", "valid", "val", "dev", "eval")

KEPT_VERSION = 1
"""The version of the kept files; raised whenever this code keeps other rows of a dataset, or keeps
them in other files."""

logger = logging.getLogger(__name__)


def load_hub(spec: DataSpec, cache: Path) -> dict[str, Any]:
    """Load with ``datasets``, then keep as Parquet, so that it is read like any file.

    Args:
        spec: names the dataset and perhaps one of its configurations.
        cache: folder for the Parquet files.

    Returns:
        The fields of a ``SourceFiles``.

    Raises:
        DataError: no train or test split, or several configurations and none requested.
        HubError: neither the hub nor its cache answers.
    """
    hub_id = HUB_ALIASES.get(spec.source, spec.source)
    loaded = _load(hub_id, spec.config)
    splits = [name for name in ("train", "test") if name in loaded]
    if "train" not in splits:
        found = f"splits {', '.join(loaded)}"
        raise DataError(hub_id, "splits train and test", found, "pass local files instead")
    validation = next((name for name in VALIDATION_NAMES if name in loaded), None)
    splits += [validation] if validation and spec.validation_source is None else []
    key = "-".join(fingerprint(loaded[split]) for split in splits)
    folder = cache / "hub" / f"{slug(hub_id)}-{_folder_key(key, splits)}"

    def write(new: Path) -> None:
        for split in splits:
            loaded[split].to_parquet(str(new / f"{split}.parquet"))

    num_rows = {f"{split}.parquet": len(loaded[split]) for split in splits}
    kept_folder(folder, write, logger.warning, num_rows)
    files = {split: (folder / f"{split}.parquet",) for split in splits}
    return {
        "train": files["train"],
        "test": files.get("test", ()),
        "validation": files.get(validation or "", ()),
        "revision": key,
    }


def _folder_key(fingerprints: str, splits: list[str]) -> str:
    return cache_key([fingerprints, splits], KEPT_VERSION, ["datasets"])


def _load(hub_id: str, config: str | None) -> Any:
    import datasets  # takes a second to import, which other sources do not need

    datasets.disable_progress_bars()
    where = f"dataset {hub_id!r}"
    try:
        return datasets.load_dataset(hub_id, config)
    except datasets.exceptions.DatasetNotFoundError as error:
        hint = f"check the name at https://huggingface.co/datasets, or {DATA_OFFLINE}"
        raise HubError(where, "a dataset on the hub", "none", hint) from error
    except datasets.exceptions.DataFilesNotFoundError as error:
        hint = "pass local files, or a dataset of Parquet, CSV or JSON files"
        raise DataError(where, "data files", "none", hint) from error
    except (ConnectionError, OSError) as error:
        found = f"no answer ({type(error).__name__})"
        wanted = "the Hugging Face hub or its cache"
        raise HubError(where, wanted, found, DATA_OFFLINE) from error
    except Exception as error:  # builders raise any exception of their parsers
        found = " ".join(str(error).split())
        configs = re.search(r"(?:available configs|Available).*?\[(.*?)\]", found)
        if "onfig" in found and configs:
            hint = "choose one with --config NAME"
            raise DataError(where, "one configuration", configs[1][:150], hint) from error
        hint = "pass local files, or another dataset"
        raise DataError(where, "a dataset that loads", found[:200], hint) from error
