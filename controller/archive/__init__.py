"""What leaves the record: waveforms, and notes that witness its end. No kernel imports this."""
