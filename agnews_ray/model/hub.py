"""The Hugging Face hub: whether it answers, and what its libraries' errors mean."""

import os
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from agnews_ray.errors import OFFLINE_WAYS, AgnewsError, HubError
from agnews_ray.model.messages import clipped, refused
from agnews_ray.model.zoo import encoder_of, identity, load_path
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.variant import VariantSpec

PROBE_TIMEOUT_S = 5.0
"""Seconds to wait for an answer. The hub's libraries retry for half a minute; this asks once."""

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
TRUTHS = ("1", "ON", "YES", "TRUE")
"""The values that the hub's own library reads as true."""

MODELS_OFFLINE = f"{OFFLINE_WAYS}, pass a folder written by save_pretrained, or use --init random"


def go_offline_if_unreachable() -> bool:
    """Send the hub one request; if it does not answer, let its libraries use their cache.

    This must be called before ``huggingface_hub`` is imported, because that reads its settings
    once.
    It respects ``HF_ENDPOINT`` (a mirror) and ``HF_HUB_OFFLINE`` (the user's decision).

    Returns:
        Whether the hub answered.

    Raises:
        HubError: ``HF_ENDPOINT`` is not an address, ``HF_TOKEN`` is not a token, or ``HF_HOME``
            cannot be written to.
    """
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if any(os.environ.get(name, "").upper() in TRUTHS for name in OFFLINE_VARIABLES):
        return False
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    _check_settings(endpoint)
    request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310  # the user's endpoint
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True  # an error status is also an answer
    except (OSError, ValueError, HTTPException):
        os.environ["HF_HUB_OFFLINE"] = "1"
        return False


def _check_settings(endpoint: str) -> None:
    """Refuse settings that the hub's library would report as a hub that does not answer."""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", endpoint):
        wanted, hint = "an address with https://, or no HF_ENDPOINT", "correct it, or unset it"
        raise HubError("HF_ENDPOINT", wanted, repr(endpoint), hint)
    if not os.environ.get("HF_TOKEN", "").isascii():  # not shown, as it may be a real token
        hint = "copy it again, or unset it"
        raise HubError("HF_TOKEN", "letters, digits and _", "other characters", hint)
    if "HF_HUB_CACHE" in os.environ:
        return
    user_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(os.environ.get("HF_HOME", user_cache / "huggingface")).expanduser().absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        hint = "set HF_HOME to another folder, or HF_HUB_OFFLINE=1 to read what it holds"
        raise HubError("HF_HOME", "a folder to write to", str(folder), hint)


def loaded_revision(variant: VariantSpec) -> str | None:
    """Return the version of a model that was loaded.

    Args:
        variant: a loaded model.

    Returns:
        The commit on the hub, the digest of a local folder, or None for fresh weights and for
        linear models without an encoder.
    """
    variant = encoder_of(variant) or variant
    if variant.init == "random" or is_linear(variant.model):
        return None
    if Path(load_path(variant)).is_dir():
        return identity(variant)
    from huggingface_hub import try_to_load_from_cache

    revision = variant.revision or "main"
    cached = try_to_load_from_cache(load_path(variant), "config.json", revision=revision)
    return Path(cached).parent.name if isinstance(cached, str) else None  # snapshots/<commit>/


def explain_load_error(variant: VariantSpec, error: Exception) -> AgnewsError:
    """Turn an exception of transformers or the hub into one line.

    Args:
        variant: the model whose tokenizer or weights were being loaded.
        error: the exception.

    Returns:
        A ``HubError`` if the hub did not answer, else a ``ModelError``.
    """
    text = " ".join(str(error).split())
    for signs, wanted, found, hint in KNOWN_ERRORS:
        if any(sign in text or sign == type(error).__name__ for sign in signs):
            named = re.search(r"model type `([^`]+)`", text)
            found = f"{named[1]!r}" if named else found or text
            return refused(variant.model, wanted, found, hint)
    found = f"{type(error).__name__}: {text}"
    if Path(load_path(variant)).is_dir():
        hint = "save the model again with save_pretrained"
        return refused(variant.model, "a loadable model folder", found, hint)
    if not isinstance(error, OSError):
        return refused(variant.model, "a model that loads", found, "choose another model")
    where, found = f"model {clipped(variant.model, 90)!r}", f"no answer ({type(error).__name__})"
    return HubError(where, "the Hugging Face hub or its cache", found, MODELS_OFFLINE)


KNOWN_ERRORS: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (
        ("trust_remote_code", "contains custom code"),
        "an architecture of transformers' own",
        "code of the model's own, which is never run",
        "choose a model whose model_type this transformers knows",
    ),
    (
        ("does not recognize this architecture",),
        "a model_type that this transformers knows",
        "",
        "choose another model, or upgrade transformers",
    ),
    (
        ("sentencepiece", "tiktoken", "Couldn't instantiate the backend tokenizer", "protobuf"),
        "a tokenizer.json",
        "a vocabulary that has to be converted first",
        "where sentencepiece and tiktoken are installed, save it: "
        "AutoTokenizer.from_pretrained(M).save_pretrained(M)",
    ),
    (
        ("You need to install",),  # sacremoses, fugashi; with them it is no faster
        "a fast tokenizer",
        "a slow one, in Python, that needs a library of its own",
        "choose a model that ships a tokenizer.json",
    ),
    (
        ("Tokenizer class",),
        "a tokenizer class that transformers has",
        "",
        "correct tokenizer_class in tokenizer_config.json, or delete it there",
    ),
    (
        ("does not appear to have a file named model.safetensors", "safetensors weights"),
        "safetensors weights on the hub",
        "none",
        "convert it once with save_pretrained and pass the folder",
    ),
    (
        ("not a valid model identifier", "RepositoryNotFoundError"),
        "a model on the hub",
        "no model of that name",
        "check the name at https://huggingface.co/models, or log in if it is private",
    ),
)
"""Each entry: parts of a message or of the error's name, what was wanted, what was found (empty:
the message), and what to do."""
