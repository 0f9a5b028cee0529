"""How often does English become the right segment? Cases, stores to run them on, measures and reports."""
