"""The registry: Debian's docker-registry, which keeps manifests and layers as files, behind a socket of ours alone."""
