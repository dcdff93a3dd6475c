"""The hall's work: tickets, windows, calling and the journal that remembers all of it.

Pure rules stand beside the use cases that run them in a transaction. Nothing here knows of
web servers, message brokers or screens.
"""
