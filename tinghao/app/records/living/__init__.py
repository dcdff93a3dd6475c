"""The life of a demonstration hall: its clerks, its citizens, its days.

Arrivals are those of recorded days; everything else is made up to look human. It happens through
the public API only, so that whatever a visitor does at the same time is as real as this.
"""
