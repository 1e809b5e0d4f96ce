"""Clusters, as seen from this machine: jobs, their events, facts about nodes."""
