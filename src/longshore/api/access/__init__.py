"""What callers may do: who they are, what their request asks for, and whether their policies allow it."""
