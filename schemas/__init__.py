"""The wire contract: what may travel, and what each field means."""
