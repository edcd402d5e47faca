"""What several papers share beyond the base."""
