"""Several processes at one address: a launcher, its workers, and what they say to each other."""
