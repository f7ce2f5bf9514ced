"""Who answers for AWS services that Longshore doesn't serve itself: moto in this process, or another server."""
