"""Before a treatment: a program, a client and a unit become a plan that is proved, or refused."""
