"""From a study to the list of trials, each with an id made of its content."""
