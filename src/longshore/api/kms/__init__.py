"""AWS Key Management Service: keys that other services, and applications, encrypt under."""
