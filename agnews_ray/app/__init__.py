"""The use cases, one function each: what a command does, without how it is typed or printed."""
