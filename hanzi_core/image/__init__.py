"""Pictures: reading them, and the one normalisation that everything else agrees on."""
