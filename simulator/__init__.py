"""An endpoint that speaks the Anthropic and OpenAI protocols with a known TTFT, token gap and fault."""
