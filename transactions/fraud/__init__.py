"""Fraud alerts: rules over what happens on accounts and at the log-in door, and who decides."""
