"""What two or more services make, read or remove alike."""
