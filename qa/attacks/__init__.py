"""What a hostile hand may do, and whether it is found."""
