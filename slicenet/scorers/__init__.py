"""What can be found strange about features."""
