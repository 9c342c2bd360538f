"""Who may do what: a reviewed table, held against every address there is."""
