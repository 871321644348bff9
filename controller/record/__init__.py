"""The record: what happened, durable before anyone is told, and what can be asked of it."""
