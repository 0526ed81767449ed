"""Infrastructure around the endpoints: middleware, rate limits, Redis access, wake-ups, reload, shutdown."""
