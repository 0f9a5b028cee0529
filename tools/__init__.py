"""What may the model do? Thin typed wrappers over the services; a tool's docstring is all the model knows of it.

Each docstring opens with the tool's effect: ``read`` changes nothing, ``draft`` makes a proposal that a person can see,
``write`` waits for a person's decision before anything happens.
"""
