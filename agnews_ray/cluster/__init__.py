"""About clusters, from this side: jobs, what they say, what nodes are like."""
