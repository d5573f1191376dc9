"""Numbers as people read them, the same in figures, reports, the page and the terminal."""


def number(value: float, *, resolution: float = 0.0) -> str:
    """Three significant digits with a typographic minus; sizes below ``resolution`` are 0.

    As ``short`` in the view's format.js: with a power of ten only below 0.0001 and from ten million on.

    >>> number(-0.12345), number(12345.6), number(1e-9), number(1e-9, resolution=1e-6)
    ('−0.123', '12300', '1e−9', '0')
    """
    text = f"{0.0 if abs(value) < resolution or value == 0 else value:.3g}"
    mantissa, power, exponent = text.partition("e")
    if power:
        small = 0 < int(exponent) < 7
        text = f"{float(text):.0f}" if small else f"{mantissa}e{int(exponent):+d}"
    return text.replace("-", "−")


def fixed(value: float, digits: int = 3) -> str:
    """A fixed number of decimals with a typographic minus, for columns of a table.

    >>> fixed(-0.5), fixed(0.94444, 4), fixed(-0.0001)
    ('−0.500', '0.9444', '0.000')
    """
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """A change: as :func:`fixed`, with a plus where it is one.

    >>> signed(0.25), signed(-0.25, 1), signed(0.0001)
    ('+0.250', '−0.2', '0.000')
    """
    text = fixed(value, digits)
    return f"+{text}" if value > 0 and float(text) != 0 else text


def percent(share: float) -> str:
    """A share for reading: a second decimal at the ends, where it matters.

    >>> percent(0.5), percent(0.9996), percent(0.0004), percent(0.00004), percent(0.99999)
    ('50.0 %', '99.96 %', '0.04 %', '< 0.01 %', '> 99.99 %')
    """
    value = 100 * share
    if 0.1 <= value <= 99.9 or value in (0, 100):
        return f"{value:.1f} %"
    if value < 0.01:
        return "< 0.01 %"
    return "> 99.99 %" if value > 99.99 else f"{value:.2f} %"


def probability(share: float) -> str:
    """A classifier's probability, as :func:`percent`: it is never quite 0 or 1, only rounded to it.

    >>> probability(0.5), probability(0.0), probability(1.0)
    ('50.0 %', '< 0.01 %', '> 99.99 %')
    """
    return percent(min(max(share, 1e-9), 1 - 1e-9))


def p_value(p: float, *, orders: int, said: bool = True) -> str:
    """The p-value of a test against random orders, to two digits; at the lowest possible it is a bound.

    Args:
        orders: how many of them, so that none is lower than one in all of them and the tested one.
        said: with the words that it is the lowest, where nothing beside it says so.

    >>> p_value(0.2512, orders=50), p_value(1 / 51, orders=50), p_value(1 / 51, orders=50, said=False)
    ('0.25', '≤ 0.02, the lowest possible here', '≤ 0.02')
    """
    lowest = 1 / (orders + 1)
    if p > lowest * (1 + 1e-9):
        return f"{p:.2g}"
    return f"≤ {lowest:.1g}{', the lowest possible here' if said else ''}"


def number_range(lowest: float, highest: float, *, positive: bool = False) -> str:
    """From the lowest to the highest value; what is nothing beside the other is 0, equal ones are one number.

    Args:
        positive: above 0 by its nature, and told apart by factors, such as a variance: its end is never 0.

    >>> number_range(-1, 2.5), number_range(0.3, 0.3), number_range(4.9e-36, 0.8432)
    ('−1 to 2.5', 'constant: 0.3', '0 to 0.843')
    >>> number_range(0.0898, 1000, positive=True)
    '0.0898 to 1000'
    """
    if lowest == highest:
        return f"constant: {number(lowest)}"
    least = 0.0 if positive else 1e-3 * max(abs(lowest), abs(highest))
    return f"{number(lowest, resolution=least)} to {number(highest, resolution=least)}"
