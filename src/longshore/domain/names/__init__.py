"""Names: Cloud Map, Route 53, Service Connect, and what a name server is told."""
