"""Budgets and caps as people and programs name them. Pure; `shared.db` stores them."""
