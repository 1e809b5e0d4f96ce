"""What a run leaves behind: the versioned record, where it is kept, and on what it ran."""
