"""Running the service: the server, its sockets, its processes and their background duties."""
