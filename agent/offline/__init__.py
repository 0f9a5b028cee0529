"""How does a sentence become a segment without a language model? By a parser that takes its words from the data."""
