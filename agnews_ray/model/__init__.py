"""Which models are known, and how a tokenizer and a classifier are built from them."""
