"""Text for TeX: what it would read as more than text is escaped."""

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
