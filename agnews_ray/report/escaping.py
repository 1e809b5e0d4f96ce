"""Text for Markdown and TeX: characters that they would read as markup are escaped."""

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
    """Escape characters that TeX would read as markup."""
    return "".join(LATEX_SPECIAL.get(character, character) for character in text)


def markdown_text(text: str) -> str:
    """Escape characters that Markdown or HTML would read as markup."""
    return re.sub(r"([\\`*_{}\[\]#|])", r"\\\1", html.escape(text, quote=False))
