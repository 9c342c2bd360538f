"""Pictures and reports of money and people: drawn, shown, sent."""
