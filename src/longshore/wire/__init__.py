"""Bytes to (operation, parameters) and results or errors back to bytes, for every AWS protocol.

Pure: driven by botocore's service models and knows no service by name. The request chain calls `Catalog`.
Nothing here does I/O beyond reading the model files, looks at a clock, or imports the rest of Longshore.
"""
