"""The outside world, behind `ports.py`. A driver does one idempotent step per call and reports; it decides nothing."""
