"""What a task asks at 169.254.170.2: its credentials, and metadata about itself."""

from longshore.api.task_endpoint.app import TaskEndpoint

__all__ = ["TaskEndpoint"]
