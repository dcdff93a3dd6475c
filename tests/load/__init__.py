"""Many at once: the hall at its busiest, and beyond."""
