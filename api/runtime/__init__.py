"""The machinery around the endpoints: middleware, wake-ups, rate limits, Redis access, shutdown."""
