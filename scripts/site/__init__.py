"""Makes the documentation site out of docs/ and what else it shows; mkdocs.yml at the root runs it: `make docs`."""
