"""The fault drill: each part of the platform killed, paused and restarted under load, and what that did to clients."""
