"""Helpers that tests of every layer import: an Engine to talk to, images to run. They import nothing of longshore."""
