"""The consolidated replica, who reads from it, and what it tells."""
