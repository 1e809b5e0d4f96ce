"""YAML files: every text has one meaning, or is refused with the reason.

PyYAML reads YAML 1.1, where ``no`` is false, ``010`` is 8 and ``1:30`` is 90. YAML 1.2 reads these
as text, 10 and text, and ``1e-5`` as a number. Here a plain word is accepted if both versions agree
on it, and a number with an exponent is read as in YAML 1.2; any other word is refused, with its
line.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from agnews_ray.errors import SpecError

MAX_BYTES = 1 << 20
"""The largest file in bytes; a larger one is not a job file."""
MAX_VALUES = 10_000
"""The largest number of values in a file, with every alias expanded: nine lines of aliases can name
billions."""
MAX_DEPTH = 20

TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NOTHING = ("", "~", "null", "Null", "NULL")
MAX_DIGITS = 18
"""The longest whole number: one that 64 bits hold, so that no count of a study overflows."""
WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
NEWER_NUMBER = re.compile(r"[-+]?0[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
"""Numbers of YAML 1.2 in a form that people rarely write."""

MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""The first bytes of files in other encodings, longest first."""

STRING_TAG = "tag:yaml.org,2002:str"


def read_yaml(path: Path, *, is_ours: bool = True) -> Any:
    """Read a YAML file.

    Args:
        path: a UTF-8 file with one document, with or without a byte order mark.
        is_ours: whether plain words must have one meaning for all YAML readers; False for a file
            that another program, such as ``ray up``, reads as YAML 1.1.

    Returns:
        Mappings, lists, texts, numbers, booleans and None.

    Raises:
        SpecError: it cannot be read, is not YAML, or has a key twice; every problem is listed.
    """
    text = _text(path)
    reading = _Reading(is_ours)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = None if node is None else reading.value(node, 0)
        if not is_ours and not reading.problems:
            content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(str(path), [_explain(error, text)]) from error
    except RecursionError as error:  # raised by PyYAML, or here
        found = f"want at most {MAX_DEPTH} levels and {MAX_VALUES:,} values, aliases written out"
        raise SpecError(str(path), [f"{found}, found more; make it simpler"]) from error
    if reading.problems:
        raise SpecError(str(path), reading.problems)
    return content


def plain_value(text: str) -> bool | int | float | str | None:
    """Return the value of an unquoted word.

    Args:
        text: one word from a file or a command line.

    Returns:
        A number, a boolean, None, or the text itself.

    Raises:
        ValueError: YAML readers understand it differently; the message says how.
    """
    if text in NOTHING:
        return None
    if text in TRUTHS:
        return TRUTHS[text]
    if WHOLE_NUMBER.fullmatch(text):
        if len(text.lstrip("+-")) > MAX_DIGITS:
            found = f"want a number of at most {MAX_DIGITS} digits, found {len(text):,}"
            raise ValueError(f"{found}; shorten it, or quote it")
        return int(text)
    if NUMBER.fullmatch(text):
        return float(text)
    loader: Any = yaml.SafeLoader("")  # PyYAML lacks some type information
    older = loader.resolve(yaml.ScalarNode, text, (True, False))
    if older == STRING_TAG and not NEWER_NUMBER.fullmatch(text):
        return text
    raise ValueError(_two_meanings(text, older))


def write_yaml(content: Any) -> str:
    """Write YAML that ``read_yaml`` and PyYAML both read as the same content."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes texts which any version of YAML would read as another type."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote a text with other characters than letters and signs so that each is escaped.

    PyYAML writes a line separator such as U+0085 as it is, and reads it as a folded line.
    """
    style = None if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar(STRING_TAG, text, style)


_Dumper.add_representer(str, _write_text)
_Dumper.add_implicit_resolver("!number", NUMBER, list("-+.0123456789"))
_Dumper.add_implicit_resolver("!number", NEWER_NUMBER, list("-+0"))


class _Reading:
    """A reader that turns YAML's nodes into values, and collects the problems."""

    def __init__(self, is_ours: bool) -> None:
        self.problems: list[str] = []
        self._is_ours = is_ours
        self._num_values = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._num_values += 1
        if self._num_values > MAX_VALUES or depth > MAX_DEPTH:
            raise RecursionError
        if self._is_ours and not self._has_own_tag(node):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.append(f"line {_line(node)}: want no tag, found {tag}; remove it")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        return self._scalar(node)  # no other kind of node is left

    def _has_own_tag(self, node: yaml.Node) -> bool:
        """Whether a node has the tag that its form implies, not an explicit other one."""
        if isinstance(node, yaml.ScalarNode):
            return node.tag == STRING_TAG or (node.style is None and "yaml.org" in node.tag)
        kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
        return bool(node.tag == f"tag:yaml.org,2002:{kind}")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[Any, Any]:
        content: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for key_node, value_node in node.value:
            key, line = self.value(key_node, depth + 1), _line(key_node)
            if not isinstance(key, str if self._is_ours else Hashable):
                found = repr(key_node.value) if isinstance(key_node.value, str) else "a collection"
                self.problems.append(f"line {line}: want a name as key, found {found}; fix it")
                continue
            if key in lines:
                twice = f"{key} stands in line {lines[key]} and again in line {line}"
                self.problems.append(f"{twice}; keep one")
            lines[key] = line
            content[key] = self.value(value_node, depth + 1)
        return content

    def _scalar(self, node: Any) -> Any:
        if node.style is None and self._is_ours:
            try:
                return plain_value(node.value)
            except ValueError as error:
                self.problems.append(f"line {_line(node)}: {error}")
        return node.value


def _two_meanings(text: str, older: str) -> str:
    kind = older.rpartition(":")[2]
    if kind == "merge":
        return "<< is not merged here, nor in YAML 1.2; write the keys out"
    readings = ["text"]
    if NEWER_NUMBER.fullmatch(text):
        readings = [f"{int(text, 0 if text.startswith(('0o', '0x')) else 10)}"]
    if kind in ("bool", "int", "float"):
        readings.insert(0, str(yaml.safe_load(text)).lower())
    elif kind != "str":
        readings.insert(0, {"timestamp": "a date"}.get(kind, "a YAML symbol"))
    named = " or as ".join(dict.fromkeys(readings))
    return f"{text} is read as {named}; write the value you mean, or quote it: {text!r}"


def _explain(error: yaml.YAMLError, text: str) -> str:
    """Return the line of a syntax error and, if known, its cause."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        found = f"the control character U+{error.character:04X}"
        return f"line {line}: want text, found {found}; delete it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"want YAML, found a syntax error ({error}); fix it"
    line = error.problem_mark.line + 1
    for number, one in enumerate(text.splitlines()[:line], 1):
        if re.match(r" *\t\s*\S", one):
            return f"line {number} is indented with a tab; use spaces"
    problem = " ".join(str(error.problem).split())
    if "'\\t'" in problem:
        return f"line {line} has a tab between its words; use spaces"
    if "document" in str(error.context):
        return f"line {line}: want one document, found another after ---; keep one"
    return f"line {line}: want YAML, found a syntax error ({problem}); fix it"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _text(path: Path) -> str:
    """Read a file as text; if it has another encoding, the error names that encoding."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        found = f"want a readable file, found {reason}; see jobs/ for examples"
        raise SpecError(str(path), [found]) from error
    if len(content) > MAX_BYTES:
        found = f"want a file of at most {MAX_BYTES >> 20} MiB, found a larger one; check the path"
        raise SpecError(str(path), [found])
    other = next((name for mark, name in MARKS.items() if content.startswith(mark)), None)
    if other or b"\0" in content:
        found = f"want UTF-8, found {other or 'bytes that are not text'}; save it as UTF-8"
        raise SpecError(str(path), [found])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{content[error.start]:02x} in line {line}"
        found = f"want UTF-8, found {byte}, which is not UTF-8; save it as UTF-8"
        raise SpecError(str(path), [found]) from error
