"""The results of a run: the versioned record, where it is kept, and the machine that made it."""
