"""Pure safety rules of the host: limits, interlocks, removal model, exposure ledger."""
