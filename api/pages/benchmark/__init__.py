"""What the page of one benchmark shows, made from what the API says about it. Pure."""
