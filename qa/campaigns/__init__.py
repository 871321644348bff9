"""Campaigns: many runs at once, kept and resumed, over processes or a cluster (`workers`)."""
