"""Who calls: signatures, and the key pairs and session tokens that they are made with."""
