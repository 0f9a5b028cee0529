"""What works in the background? Workers that send, and a sweeper that sees to it that nothing is left lying."""
