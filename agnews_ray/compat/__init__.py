"""Names of other libraries that may disappear: private ones, and deprecated ones.

There is a module for each library. Nothing else in this package uses such a name (a test checks
this); each has a test that fails when it is gone, and `pyproject.toml` has an upper bound for the
library.
"""
