"""What leaves the record: notes that witness its end. No process that controls imports this."""
