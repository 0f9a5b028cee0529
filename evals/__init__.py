"""How often does an English sentence become the segment its writer meant?"""
