"""Where state lives: records in memory with indexes, written through to a journal; and the event log beside it."""
