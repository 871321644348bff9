"""Exploration: every state that device, host and line can get into, and the promise in each."""
