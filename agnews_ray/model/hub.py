"""Whether the Hugging Face hub answers, asked once before its libraries retry for half a minute."""

import os
import urllib.error
import urllib.request

PROBE_TIMEOUT_S = 5.0


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
