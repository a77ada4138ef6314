"""TGI's routes, validation, chat and tools, over the toy."""
