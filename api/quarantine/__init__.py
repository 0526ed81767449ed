"""The quarantine: good captures that could not be transformed."""
