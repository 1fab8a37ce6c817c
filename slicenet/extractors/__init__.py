"""What can be seen in a volume."""
