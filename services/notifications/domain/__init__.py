"""The rules of pushing, without any I/O."""
