"""Recorded days of real queues: reading them, importing them, replaying them, living them."""
