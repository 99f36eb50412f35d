"""What a model makes of pictures whose label is known: predictions, figures and confusions."""
