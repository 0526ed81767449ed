"""The gateway, the only public entrance: Caddy with the Caddyfile in this folder, and the program that starts it."""
