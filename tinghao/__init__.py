"""Tinghao 厅好: real-time operations for a government service hall."""

__version__ = "0.1.0"
