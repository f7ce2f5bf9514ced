"""Tasks as containers of a local Docker Engine."""
