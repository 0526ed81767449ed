"""More than one machine: workers on two hosts, a Selenium Grid, replicas of the API."""
