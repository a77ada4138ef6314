"""The public API of constructs_lib in one file, and what a change of it breaks."""
