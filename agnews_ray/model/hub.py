"""The Hugging Face hub: whether it answers, and what its libraries' errors mean."""

import os
import urllib.error
import urllib.request
from pathlib import Path

from agnews_ray.errors import AgnewsError, HubError, ModelError
from agnews_ray.model.zoo import identity, load_path
from agnews_ray.spec.study import VariantSpec

PROBE_TIMEOUT_S = 5.0
"""Its libraries retry for half a minute before they give up; this asks once."""

OFFLINE_WAYS = (
    "go online once to fill the cache, set HF_ENDPOINT to a mirror, "
    "pass a folder written by save_pretrained, or use --init random"
)


def go_offline_if_unreachable() -> bool:
    """Ask the hub for anything; where it does not answer, let its libraries use their cache.

    Must come before ``huggingface_hub`` is imported, which reads its settings then. Respects
    ``HF_ENDPOINT`` (a mirror) and ``HF_HUB_OFFLINE`` (already decided by the user).

    Returns:
        Whether the hub answered.
    """
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if os.environ.get("HF_HUB_OFFLINE"):
        return False
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310  # the user's endpoint
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True  # an answer, if not a friendly one
    except (OSError, ValueError):
        os.environ["HF_HUB_OFFLINE"] = "1"
        return False


def loaded_revision(variant: VariantSpec) -> str | None:
    """Say which version of a model was loaded.

    Args:
        variant: already loaded.

    Returns:
        The commit on the hub, the digest of a local folder, or None for fresh weights.
    """
    if variant.init == "random":
        return None
    if Path(load_path(variant)).is_dir():
        return identity(variant)
    from huggingface_hub import try_to_load_from_cache

    revision = variant.revision or "main"
    cached = try_to_load_from_cache(load_path(variant), "config.json", revision=revision)
    return Path(cached).parent.name if isinstance(cached, str) else None  # snapshots/<commit>/


def explain_load_error(variant: VariantSpec, error: Exception) -> AgnewsError:
    """Turn what transformers and the hub raise into one line.

    Args:
        variant: whose tokenizer or weights were being loaded.
        error: as raised.

    Returns:
        A ``HubError`` where the hub did not answer, else a ``ModelError``.
    """
    where = f"model {variant.model!r}"
    text = " ".join(str(error).split())
    if Path(load_path(variant)).is_dir():
        hint = "save the model again with save_pretrained"
        return ModelError(where, "a loadable model folder", text[:200], hint)
    if "safetensors" in text and "does not appear to have" in text:
        hint = "convert it once with save_pretrained and pass the folder"
        return ModelError(where, "safetensors weights on the hub", "none", hint)
    if "not a valid model identifier" in text or "RepositoryNotFound" in type(error).__name__:
        hint = "check the name at https://huggingface.co/models, or log in if it is private"
        return ModelError(where, "a model on the hub", "none of that name", hint)
    if not isinstance(error, OSError):
        return ModelError(where, "a model that loads", text[:200], "choose another model")
    found = f"no answer ({type(error).__name__})"
    return HubError(where, "the Hugging Face hub or its cache", found, OFFLINE_WAYS)
