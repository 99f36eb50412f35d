"""Training: what is asked for, the networks, what they are fed, and the process that does it."""
