"""How is everything that sends run outside the product's own supervisor, so that it can be measured and killed?"""
