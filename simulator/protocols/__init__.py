"""The protocols that the simulator speaks, one file for each."""
