"""kill -9 of a real kernel at random moments, and what its record says afterwards."""
