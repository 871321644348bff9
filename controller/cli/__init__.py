"""The corneum command."""
