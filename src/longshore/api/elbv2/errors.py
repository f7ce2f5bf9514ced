"""The two errors with which ELBv2 refuses most of what it refuses."""

from longshore.wire.errors import ApiError


def invalid(message: str) -> ApiError:
    """A value that can't be, whatever else there is."""
    return ApiError("ValidationError", message)


def conflict(message: str) -> ApiError:
    """A value that does not fit what there is."""
    return ApiError("InvalidConfigurationRequest", message)
