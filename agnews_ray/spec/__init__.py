"""What a user asks for: studies, their parts, their checks, and the metrics they are scored by."""
