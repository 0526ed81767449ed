"""The whole platform on one machine: embedded servers, their processes, and the command `registru`."""
