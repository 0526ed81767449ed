"""The few pages for people: signing in and out. Server-rendered, without scripts."""
