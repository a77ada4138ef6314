"""Instance types, their GPUs, storage and host images."""
