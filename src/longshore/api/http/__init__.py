"""HTTP itself: servers inside our own event loop, their connections within bounds, bodies of any size."""
