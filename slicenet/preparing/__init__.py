"""From scans as they come to brains in MNI space."""
