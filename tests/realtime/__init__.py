"""Real servers on port 0 and real sockets, around a hall in memory."""
