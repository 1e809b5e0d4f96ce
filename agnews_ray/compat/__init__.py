"""Names of other libraries that may go: private ones, and those on their way out.

A module for each library. Nothing else in this package uses such a name (a test looks); each has
a test that fails when it is gone, and `pyproject.toml` has an upper bound for the library.
"""
