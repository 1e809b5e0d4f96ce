"""Fine-tune compact text classifiers under one recipe on Ray, and compare them honestly."""

__version__ = "0.1.0"
