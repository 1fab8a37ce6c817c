"""Files of voxels: guarded on the way in, whole on the way out."""
