"""What is kept secret, and the keys for it: Secrets Manager, Parameter Store, KMS."""
