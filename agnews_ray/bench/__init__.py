"""Engines timed in turns, and the paired ratios of their speed."""
