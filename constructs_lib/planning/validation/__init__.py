"""Problems, and the rules for single values."""
