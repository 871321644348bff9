"""Physics of the handpiece and of the hand that holds it."""
