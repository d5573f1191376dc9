"""Is this explanation true? The check of one input as HTML, and what was measured of its model."""

from collections.abc import Sequence
from html import escape

import numpy as np

from daam_core.faithfulness.maps.methods import MAP_KINDS
from daam_core.faithfulness.one_input import InputCheck
from daam_core.plain import PlainMapping
from daam_core.reading.numbers import fixed, p_value, probability

from ...visit.faithfulness import Checked

NOT_CHECKED = '<p class="dx-note">Not checked yet.</p>'
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 520, 288, 48, 32, 52
_ANCHORS = {0.0: "start", 1.0: "end"}
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_LEARNED = {"yes": "yes", "open": "in part", "no": "hardly"}


def check_html(checked: Checked) -> str:
    """The check of the result on screen, and what was published of its model."""
    found = checked.found
    return (
        f'<p class="dx-note">{escape(checked.title)} · {escape(checked.model)}: '
        f"{escape(checked.predicted_class)}, {probability(found.probability)}.</p>"
        f'{_headlines(found)}<div class="dx-beside">{_chart(found)}<div>{_table(found)}</div></div>'
        f"{_curves_table(found)}{_published(checked.published)}"
    )


def _headlines(found: InputCheck) -> str:
    """The verdict on each map that can be shown; the page shows that of the map that is."""
    return "".join(
        f'<p class="dx-verdict" data-of="{quantity}">{escape(sentence)}</p>'
        for quantity, sentence in found.sentences.items()
    )


def _published(found: PlainMapping | None) -> str:
    """The findings measured over a data set, where they come with the model."""
    if found is None:
        return '<p class="dx-note">No measurement over a data set comes with this model.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(str(item["question"]))}</th>'
        f"<td>{escape(str(item['answer']))}</td>"
        f'<td class="dx-sentence">{escape(str(item["sentence"]))}</td></tr>'
        for item in found["findings"]
    )
    command = escape(str(found["provenance"].get("command", "")))
    return (
        '<details class="dx-more"><summary>Measured over a data set</summary><div class="dx-scroll">'
        '<table class="dx-table dx-findings"><thead><tr><th scope="col">Question</th>'
        f'<th scope="col">Answer</th><th scope="col">Found</th></tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
        f'<p class="dx-note"><code>{command}</code></p></details>'
    )


def _table(found: InputCheck) -> str:
    rows = "".join(
        f'<tr data-method="{item.method}" data-deletion="{item.deletion!r}">'
        f'<th scope="row">{escape(MAP_KINDS[item.method].title)}</th>'
        f"<td>{item.against_random}</td>"
        f"<td>{p_value(item.p_value, orders=found.orders, said=False)}</td>"
        f"<td>{fixed(item.deletion)}</td><td>{fixed(item.insertion)}</td>"
        f"<td>{_LEARNED[item.learned]}</td><td>{fixed(item.start, 2)}</td>"
        f"<td>{fixed(item.randomised, 2)}</td></tr>"
        for item in found.maps
    )
    return (
        '<div class="dx-scroll"><table class="dx-table dx-checked"><thead><tr>'
        '<th scope="col">Map</th><th scope="col">Against random</th><th scope="col">p</th>'
        '<th scope="col">Deletion, low is good</th><th scope="col">Insertion, high is good</th>'
        '<th scope="col">Shows what was learned</th><th scope="col">Alike, untrained</th>'
        '<th scope="col">Alike, gate random</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="dx-note">{_floor(found)}Deletion and insertion: area under the curve when the cells that '
        f"the map marks most are removed or put back first. {found.orders} random orders (seed {found.seed}) "
        f"of {found.cells:,} cells have {fixed(found.at_random)}. Alike: rank correlation with the map of an "
        "untrained gate, or of one with random numbers.</p>"
    )


def _floor(found: InputCheck) -> str:
    lowest = p_value(0.0, orders=found.orders, said=False)
    reached = any(p_value(item.p_value, orders=found.orders, said=False) == lowest for item in found.maps)
    return f"p {lowest} is the lowest possible here. " if reached else ""


def _curves_table(found: InputCheck) -> str:
    titles = "".join(f'<th scope="col">{escape(MAP_KINDS[item.method].title)}</th>' for item in found.maps)
    rows = "".join(
        f'<tr><th scope="row">{100 * share:.0f} %</th><td>{fixed(found.random[place])}</td>'
        + "".join(f"<td>{fixed(item.highest[place])}</td>" for item in found.maps)
        + "</tr>"
        for place, share in enumerate(found.shares)
    )
    return (
        '<details class="dx-more"><summary>The curves as a table</summary><div class="dx-scroll">'
        '<table class="dx-table"><thead><tr><th scope="col">Removed</th><th scope="col">Random</th>'
        f"{titles}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _chart(found: InputCheck) -> str:
    """Curves as SVG in the page's own colours; lines differ by dashes as well.

    Whole lines lie below dashed ones, so that two equal curves are both seen.
    """
    band = [*zip(found.shares, found.random_high, strict=True)]
    band += [*zip(found.shares[::-1], found.random_low[::-1], strict=True)]
    lines = "".join(
        f'<path class="dx-line dx-line-{place}" d="{_path(found.shares, item.highest)}" '
        f'stroke-dasharray="{_DASHES[place % len(_DASHES)]}"/>'
        for place, item in sorted(enumerate(found.maps), key=lambda one: one[0] % len(_DASHES))
    )
    ticks = "".join(
        f'<text x="{_LEFT - 6}" y="{_y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        f'<text x="{_x(value):.1f}" y="{_HEIGHT - 28}" text-anchor="{_ANCHORS.get(value, "middle")}">'
        f"{100 * value:.0f} %</text>"
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{_y(value):.1f}" y2="{_y(value):.1f}"/>'
        for value in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    legend = "".join(
        f"<li>{_sample(str(place), _DASHES[place % len(_DASHES)])}{escape(MAP_KINDS[item.method].title)}</li>"
        for place, item in enumerate(found.maps)
    )
    return (
        f'<figure class="dx-chart"><svg viewBox="0 0 {_WIDTH + 8} {_HEIGHT}" role="img" '
        'aria-label="Probability of the predicted class against the share of cells removed; '
        'the same numbers stand in a table below.">'
        f'<g class="dx-ticks">{ticks}'
        f'<text x="{_x(0.5):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">Cells removed, highest first</text>'
        '<text y="17">Probability of the prediction</text></g>'
        f'<polygon class="dx-band" points="{_points(band)}"/>'
        f'<path class="dx-line dx-line-random" d="{_path(found.shares, found.random)}"/>{lines}</svg>'
        f'<ul class="dx-legend"><li>{_sample("random", "")}Random order, 95 % of orders in the band</li>'
        f"{legend}</ul></figure>"
    )


def _sample(line: str, dashes: str) -> str:
    return (
        f'<svg width="28" height="10" aria-hidden="true"><path class="dx-line dx-line-{line}" d="M0 5H28" '
        f'stroke-dasharray="{dashes}"/></svg>'
    )


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT)


def _y(value: float) -> float:
    return _TOP + (1 - value) * (_HEIGHT - _BOTTOM - _TOP)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in places)


def _path(shares: np.ndarray, heights: np.ndarray) -> str:
    return "M" + "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in zip(shares, heights, strict=True))
