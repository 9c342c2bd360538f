"""The fault laboratory: real nodes, faults in and between them, and a checker of the money."""
