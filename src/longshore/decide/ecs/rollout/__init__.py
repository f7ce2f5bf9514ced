"""How a service goes from one revision to the next."""
