"""What are the rules, apart from any database, network or screen? Pure values and functions."""
