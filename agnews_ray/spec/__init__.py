"""What a user can request: studies, their parts, their checks, and the metrics of their scores."""

DEFAULT_MODELS = ("distilbert", "minilm")
"""The models of the paper's study, here so that the command line can show them without
importing the studies."""
