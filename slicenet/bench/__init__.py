"""Seconds and memory a volume: of every backend, and of slices beside the published way."""
