"""The one public door: Caddy with the Caddyfile beside this, and what starts it."""
