"""The pages of the reference, as `make_reference.py` writes them."""
