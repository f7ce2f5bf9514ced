"""Policies: documents, and what they allow. Pure; the request chain and the IAM API ask."""
