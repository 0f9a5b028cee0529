"""How fast is Parley, and how much memory does it take? Repeatable measurements, each beside a baseline."""
