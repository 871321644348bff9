"""Kills at random moments while waveforms are recorded: what each costs."""
