"""Pure treatment logic: programs, plans and the supervisor."""
