"""The nouns: immutable records of what exists, their names and states. Imports nothing else of Longshore."""
