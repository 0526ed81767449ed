"""The API's cached answers, beside the smallest endpoint that verifies the same token and reads the same record."""
