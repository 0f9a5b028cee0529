"""How does somebody else's file of order lines become customers, products, orders and refunds?

Read in this order: ``columns`` finds out which column means what, ``values`` cleans single values, ``codes`` tells
products from postage, ``lines`` puts every line into exactly one bucket, ``orders`` builds orders from what is left.
"""
