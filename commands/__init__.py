"""What can be done from a terminal? One file per noun; ``cli.py`` puts them together."""
