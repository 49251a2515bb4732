"""When requests are sent: what a caller writes, and the stages, paces and stop rules that follow from it."""
