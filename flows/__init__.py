"""Densities on vectors, and the losses that train them; nothing here knows of images."""
