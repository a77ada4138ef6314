"""What clients speak: one folder per protocol, and the routes that belong to none."""
