"""Shares of the train rows: how a user writes them, and how they are written back."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator

WANTED = "want a share above 0% and up to 100%, such as 3% or 0.03"


def read_share(value: Any) -> Any:  # Any: what JSON may hold
    """Read a share that is written as ``3%`` or as ``0.03``.

    Args:
        value: the value in the job file or flag.

    Returns:
        The share in (0, 1]. Both spellings give the same number, so that they mean the same trial.

    Raises:
        ValueError: it is not a share; the message says what was wanted and found.
    """
    shown = repr(value) if isinstance(value, str) else value
    problem = f"{WANTED}, found {shown}; change it"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(problem)  # noqa: TRY004  # pydantic collects this kind
    text = str(value).strip()
    try:
        number = Decimal(text.removesuffix("%").strip())
    except InvalidOperation as error:
        raise ValueError(problem) from error
    share = float(number / 100 if text.endswith("%") else number)  # 1e-400 becomes 0
    if not 0 < share <= 1:
        raise ValueError(problem)
    return share


Share = Annotated[float, BeforeValidator(read_share)]
"""A share of the train rows, in (0, 1]."""


def in_percent(share: float) -> str:
    """Write a share as the user would, such as ``3%``."""
    return f"{100 * share:.6g}%"
