"""The parts that the fast engine puts into a model while it is trained."""
