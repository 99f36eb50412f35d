"""The stroke library, and handwriting made from it without end."""
