"""The few web pages: sign-in and sign-out. Rendered on the server, without scripts."""
