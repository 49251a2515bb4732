"""What all requests and answers have in common, whatever they are about."""
