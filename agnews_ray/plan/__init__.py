"""The plan of a study: the list of its trials, each with an id made from its content."""
