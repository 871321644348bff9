"""The wire, shared by both ends: pure values, codecs and a link without I/O."""
