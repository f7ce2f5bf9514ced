"""The AWS APIs: the request chain, then a folder per service and a file per resource."""
