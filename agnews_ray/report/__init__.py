"""From results to text and figures; only units change here."""
