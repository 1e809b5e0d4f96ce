"""What runs a recipe on one rank: ``fast`` (ours) or ``reference`` (the Hugging Face Trainer)."""
