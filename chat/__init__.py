"""How do people talk with Parley? In Chainlit's pages below one path of the web application, guarded and kept by us."""
