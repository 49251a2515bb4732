"""The pages in a real browser, over a real `llmbench up`. `make e2e` runs them; `make test` does not."""
