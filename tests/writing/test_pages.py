"""Reports as Markdown and as pages."""

from html.parser import HTMLParser

from daam_core.writing.pages import Figure, Heading, Listing, Paragraph, Table, to_html, to_markdown


class _Tags(HTMLParser):
    """Notes whether every element that was opened was closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.seen = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_a_page_is_well_formed_and_escapes_what_comes_from_data():
    evil = "<script>alert('x')</script> & | \n# b"
    blocks = [
        Heading(evil),
        Paragraph(evil),
        Listing(evil),
        Table((evil, "n"), ((evil, "1"),), note=evil),
        Figure(evil, "a.svg", "<svg></svg>"),
    ]
    page = to_html(evil, blocks)
    tags = _Tags()
    tags.feed(page)
    tags.close()
    assert not tags.open
    assert not tags.wrong
    assert "script" not in tags.seen
    assert page.count("&lt;script&gt;") == 9
    text = to_markdown(evil, blocks)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
    assert "![" in text


def test_markdown_lets_no_markup_of_data_through():
    evil = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) ``` `x`"
    blocks = [
        Heading(evil),
        Paragraph(evil),
        Table((evil, "n"), ((evil, "1"),), note=evil),
        Figure(evil, "a.svg", ""),
    ]
    text = to_markdown(evil, blocks)
    assert "<img" not in text
    assert all(
        "\\[click\\]" in line for line in text.splitlines() if line.startswith(("| ", "![")) and "img" in line
    )


def test_a_listing_cannot_be_ended_by_its_text():
    text = to_markdown("Report", [Listing("```\n<img src=x>\n````")])
    assert text.count("`````\n") == 2
