"""Who is asking, and what may they do: accounts, sessions, device tokens, rights."""
