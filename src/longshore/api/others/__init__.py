"""AWS services that Longshore does not serve: who answers for them, and how a request gets there and back."""
