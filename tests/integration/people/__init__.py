"""People: who they are, how they stand, who decides about them and who looked at them."""
