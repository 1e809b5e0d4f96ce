"""Rows to what people read: terminal, Markdown, CSV, JSON, LaTeX. No arithmetic but units."""
