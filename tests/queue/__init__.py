"""The hall's work: its rules without a database, its journal with both."""
