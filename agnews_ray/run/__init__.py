"""Everything that executes on Ray: session, study, trainer, the fast engine, progress."""
