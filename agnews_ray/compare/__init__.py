"""From records to rows: aggregation and, later, statistics; works without Ray and torch."""
