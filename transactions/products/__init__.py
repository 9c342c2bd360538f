"""What kinds of accounts earn and cost, from when on."""
