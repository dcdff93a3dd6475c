"""What every answer shares: problems, languages, headers, static files, health and metrics."""
