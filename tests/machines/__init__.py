"""Tests with several machines: workers on two hosts, a Selenium Grid, replicas of the API."""
