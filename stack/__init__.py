"""The whole platform on one machine: embedded servers, the processes, the `registru` command."""
