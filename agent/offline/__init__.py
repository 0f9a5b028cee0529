"""How does a sentence become a segment without a language model? A parser whose words come from the catalog and the data."""
