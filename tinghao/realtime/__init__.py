"""Real time: the bus, the hub, the WebSocket gateway, and what each screen shows."""
