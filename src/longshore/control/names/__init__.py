"""Names kept true: Cloud Map, zones, Service Connect."""
