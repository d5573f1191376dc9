"""Numbers as the page writes them."""


def percent(share: float) -> str:
    """A probability for reading: a second decimal at the ends, where it matters.

    >>> percent(0.5), percent(0.9996), percent(0.0004), percent(0.00004), percent(0.99999)
    ('50.0 %', '99.96 %', '0.04 %', '< 0.01 %', '> 99.99 %')
    """
    value = 100 * share
    if 0.1 <= value <= 99.9 or value in (0, 100):
        return f"{value:.1f} %"
    if value < 0.01:
        return "< 0.01 %"
    return "> 99.99 %" if value > 99.99 else f"{value:.2f} %"


def signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        return f"{0:.{digits}f}"
    return text.replace("-", "−")
