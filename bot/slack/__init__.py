"""The Slack edge: commands in, blocks out, messages delivered. Knows the domain and the services, never the store."""
