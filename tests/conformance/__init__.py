"""The official conformance suite, run against our server with the fixtures that it calls."""
