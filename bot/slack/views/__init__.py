"""From domain objects to Slack payloads. Pure: no network, no clock, no database."""
