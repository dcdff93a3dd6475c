"""The pages of the hall, asked over real HTTP as a browser asks."""
