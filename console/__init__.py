"""What does the team look at in a browser? Server-rendered pages over the same services as every other door."""
