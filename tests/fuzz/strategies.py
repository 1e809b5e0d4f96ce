"""Inputs: valid ones in many forms, and valid ones that something happened to."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

ODD_TEXTS = (
    "",
    " ",
    "\0",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x1b[2J",
    "\r\n",
    "e\u0301",
    "\u202etxt.exe",
    "\U0001f600",
    "../outside",
    "/",
    ".",
    "..",
    "a/b",
    "~nobody/x",
    "nan",
    "null",
    "1e999",
    "0x10",
    "-0",
    '"',
    "'",
    "\\",
    "{{x}}",
    "%s",
    "<script>",
    "a" * 5000,
)
"""Texts that programs often get wrong."""

ODD_NUMBERS: tuple[int | float, ...] = (
    0,
    -1,
    -0.0,
    0.5,
    1e-320,
    1e308,
    2**31,
    2**53 + 1,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    float("-inf"),
)

ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\x80",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\r",
    b"\n",
    b"\t",
    b'"',
    b"'",
    b"\\",
    b"\x1b",
    b"[",
    b"{" * 50,
    b"[" * 5000,
    b"- " * 3000,
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"\\ud800",
    b"x" * 70_000,
)
"""Bytes that are put into files: half characters, control characters, deep nesting, huge numbers,
long words."""


def deep(levels: int) -> Any:
    """Make lists in lists."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def odd_values() -> st.SearchStrategy[Any]:
    """JSON values that are seldom right anywhere."""
    plain = st.sampled_from([None, True, False, [], {}, [[]], {"a": None}, *ODD_TEXTS])
    return plain | st.sampled_from(ODD_NUMBERS) | st.builds(deep, st.sampled_from((3, 30, 100)))


def texts(min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that UTF-8 can hold."""
    return st.text(
        st.characters(exclude_categories=("Cs",)), min_size=min_size, max_size=max_size
    ) | st.sampled_from([text for text in ODD_TEXTS if len(text) >= min_size])


def values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts()
    return st.recursive(
        leaves | odd_values(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(texts(max_size=12), inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


@st.composite
def damaged(draw: st.DrawFn, content: bytes, max_changes: int = 3) -> bytes:
    """Change some bytes of a file, as disks, editors and networks do."""
    for _ in range(draw(st.integers(1, max_changes))):
        change: Callable[[st.DrawFn, bytes], bytes] = draw(st.sampled_from(DAMAGES))
        content = change(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    """Choose a place, often near an end, where formats keep what they need most."""
    size = len(content)
    near = st.integers(0, min(40, size)).map(lambda at: at)
    far = st.integers(0, min(40, size)).map(lambda at: size - at)
    return draw(st.integers(0, size) | near | far)


def _flip(draw: st.DrawFn, content: bytes) -> bytes:
    if not content:
        return b"\0"
    at = min(_place(draw, content), len(content) - 1)
    return content[:at] + bytes([content[at] ^ draw(st.integers(1, 255))]) + content[at + 1 :]


def _truncate(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _remove(draw: st.DrawFn, content: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + content[at + draw(st.sampled_from((1, 2, 8, 100))) :]


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + draw(st.sampled_from(ODD_BYTES)) + content[at:]


def _overwrite(draw: st.DrawFn, content: bytes) -> bytes:
    at, new = _place(draw, content), draw(st.sampled_from(ODD_BYTES[:14]))
    return content[:at] + new + content[at + len(new) :]


def _zero(draw: st.DrawFn, content: bytes) -> bytes:
    """Fill a part with zeros, as after a lost write."""
    at = _place(draw, content)
    size = min(draw(st.sampled_from((4, 64, 512))), len(content) - at)
    return content[:at] + bytes(size) + content[at + size :]


def _repeat_line(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    to = draw(st.integers(0, len(lines)))
    return b"\n".join([*lines[:to], lines[at], *lines[to:]])


def _drop_line(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    return b"\n".join(lines[:at] + lines[at + 1 :])


def _twice(_: st.DrawFn, content: bytes) -> bytes:
    return content + content


DAMAGES = (
    _flip,
    _flip,
    _flip,
    _truncate,
    _remove,
    _insert,
    _insert,
    _overwrite,
    _zero,
    _repeat_line,
    _drop_line,
    _twice,
)


@st.composite
def changed(draw: st.DrawFn, content: Any, max_changes: int = 3) -> Any:
    """Change some values of a document: another type, another number, a key more or less."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, max_changes))):
        place = draw(st.sampled_from(_places(content)))
        content = _changed_at(draw, content, place)
    return content


def _places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all values below one."""
    found = [above] if above else []
    if not isinstance(value, dict | list) or len(above) > 8:
        return found or [()]
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        found += _places(part, (*above, key))
    return found or [()]


def _changed_at(draw: st.DrawFn, content: Any, place: tuple[Any, ...]) -> Any:
    if not place:
        return draw(odd_values())
    *above, key = place
    target = content
    for part in above:
        target = target[part]
    what = draw(st.sampled_from(("odd", "odd", "like", "any", "remove", "add", "wrap")))
    match what:
        case "odd":
            target[key] = draw(odd_values())
        case "like":
            target[key] = draw(_like(target[key]))
        case "any":
            target[key] = draw(values(4))
        case "remove":
            del target[key]
        case "wrap":
            target[key] = draw(st.sampled_from(([target[key]], {"a": target[key]})))
        case "add" if isinstance(target, dict):
            target[draw(texts(max_size=12))] = draw(odd_values())
        case "add":
            target.append(draw(odd_values()))
    return content


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the same type."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return st.integers() | st.integers(-2, 3)
    if isinstance(value, float):
        return st.floats() | st.floats(-2, 2)
    if isinstance(value, str):
        return texts() | st.just(value.upper())
    if isinstance(value, list):
        return st.just(value[1:]) | st.just(value * 2)
    return odd_values()
