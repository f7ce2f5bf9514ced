"""Secrets decided: which secret, parameter or key a name means, and what it holds."""
