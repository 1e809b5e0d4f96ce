"""Text for Markdown and TeX: what they would read as more than text is escaped."""

import html
import re

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{MINUS SIGN}": "$-$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def tex_text(text: str) -> str:
    """Escape what TeX would read as more than text."""
    return "".join(LATEX_SPECIAL.get(character, character) for character in text)


def markdown_text(text: str) -> str:
    """Escape what Markdown or HTML would read as more than text."""
    return re.sub(r"([\\`*_{}\[\]#|])", r"\\\1", html.escape(text, quote=False))
