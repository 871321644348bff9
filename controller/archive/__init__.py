"""What leaves the record: waveforms. Never imported by the kernel, which starts it as a process."""
