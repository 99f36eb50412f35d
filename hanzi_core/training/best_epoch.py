"""Which epoch's weights become the model: as a run keeps them, and as its page tells."""


def rank(accuracy: float, loss: float) -> tuple[float, float]:
    """The greater, the better: of epochs that read as many pictures right, the one of lower loss.

    A few hundred pictures to validate on are often read equally well by several epochs; the first of them is the least
    trained. Sums of means differ beyond the sixth place for the same count.
    """
    return round(accuracy, 6), -loss
