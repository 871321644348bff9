"""From what was published of crystals on skin to what is known of the removal rate."""
