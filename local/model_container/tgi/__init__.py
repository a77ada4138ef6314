"""TGI's routes over the toy generator."""
