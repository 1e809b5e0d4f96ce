"""From records to tables and verdicts: aggregation and statistics, without Ray and torch."""
