"""The books of a Czech bank of the years 1993 to 1998 (PKDD'99, "Berka")."""
