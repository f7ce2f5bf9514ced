"""Names decided: instances, zones, Service Connect, health."""
