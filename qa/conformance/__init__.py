"""The conformance kit: what anything that speaks the protocol on a port must do, as cases."""
