"""How much of an error answer is read. The measurer and the SDK's transport keep the same limits."""

# Decompressed too.
MAX_REFUSAL_BYTES = 64_000
# How long its body may take, from its first byte. Some servers leave it open for ever.
REFUSAL_NS = 5_000_000_000
