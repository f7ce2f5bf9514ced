"""Tasks that only seem to run: for users' unit tests, the simulator and the scale benchmarks."""
