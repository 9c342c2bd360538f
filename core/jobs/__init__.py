"""Jobs: what may take long or fail, kept in PostgreSQL until it is done."""
