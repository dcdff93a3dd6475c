"""Metrics now; electronic supervision and monthly reviews have their place beside them."""
