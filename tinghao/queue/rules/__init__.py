"""The rules: one module a theme, each command's rule a pure function to events or a refusal."""
