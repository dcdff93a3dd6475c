"""The JSON API, asked over real HTTP."""
