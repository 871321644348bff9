"""Generators of documents and codecs, and the evidence bundle: made from the product."""
