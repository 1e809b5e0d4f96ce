"""Engines timed in turns, and their paired ratios."""
