"""How is a message handed to a provider, and what does a provider's word mean?"""
