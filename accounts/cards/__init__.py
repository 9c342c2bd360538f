"""Cards: issued, activated, frozen, limited, blocked. What they pay is in ``transactions``."""
