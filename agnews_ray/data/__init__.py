"""From a named source to batches of token ids: files, checks, splits, stream, batches."""
