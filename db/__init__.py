"""Where are the rows, how are they asked for, and which database answers?"""
