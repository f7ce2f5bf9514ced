"""Images: ECR's records, manifests, and what the name of an image means."""
