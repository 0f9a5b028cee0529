"""How does Parley run with no server installed? It brings its own PostgreSQL and Redis, one pair per home folder.

A pair belongs to nobody in particular: every process that needs it holds a lease, which is a shared file lock, and a
small keeper process stops the pair when the last lease is gone. The kernel drops the locks of a process however it
ends, so a killed owner is noticed like one that said goodbye; should the keeper itself be killed, the kernel stops the
servers with it.
"""

from db.embedded.account import psql
from db.embedded.layout import Addresses, Layout
from db.embedded.lease import revive, running, servers

__all__ = ["Addresses", "Layout", "psql", "revive", "running", "servers"]
