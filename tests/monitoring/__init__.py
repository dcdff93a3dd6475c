"""What Prometheus gets to see."""
