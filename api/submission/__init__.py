"""From the body of a submit to a stored benchmark: checks, estimate, budget, storing."""
