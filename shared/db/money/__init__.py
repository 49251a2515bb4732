"""Money: budgets, reservations, and the ledger of what was spent."""
