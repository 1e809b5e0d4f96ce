"""The ``agnews-ray`` command: parse, call one use case, print, exit code."""
