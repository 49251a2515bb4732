"""The web pages: what `/ui` serves. They show what the JSON API shows, and compute no numbers of their own."""
