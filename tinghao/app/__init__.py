"""The Litestar application: settings, database, accounts, pages, JSON API, command line."""
