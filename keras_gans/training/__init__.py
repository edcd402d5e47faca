"""The training base: what is the same for all papers."""
