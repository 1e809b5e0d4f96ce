"""What a user can request: studies, their parts, their checks, and the metrics of their scores."""
