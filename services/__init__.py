"""What can be done with Parley? One plain function is one business action on a session."""
