"""Engines that run a recipe on one rank: ``fast`` (ours), ``reference`` (Hugging Face Trainer)."""
