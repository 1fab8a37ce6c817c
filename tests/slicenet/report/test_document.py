import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from slicenet.errors import Notice
from slicenet.report.document import as_data, document, escape, facts, header, link, warnings
from tests.slicenet.report.conftest import HOSTILE


class Seen(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "made",
    [
        header(HOSTILE), warnings([Notice("W_X", HOSTILE)]), facts([(HOSTILE, HOSTILE)]),
        link(HOSTILE, HOSTILE), document(HOSTILE, escape(HOSTILE), ("group.js",)),
    ],
)  # fmt: skip
def test_text_of_strangers_is_text_wherever_it_stands(made):
    seen = Seen(made)
    assert HOSTILE in seen.text
    assert "img" not in [tag for tag, _ in seen.tags]
    assert not any("onerror" in attributes for _, attributes in seen.tags)


def test_data_come_back_and_end_no_script():
    content = {"name": HOSTILE, "value": [1.5, None]}
    text = as_data(content)
    assert "<" not in text
    assert json.loads(text) == content


def test_no_address_leaves_the_disk_and_none_is_a_script():
    made = link("javascript:alert(1)/sub 1?#%.html", "x")
    assert 'href="javascript%3Aalert%281%29/sub%201%3F%23%25.html"' in made


def test_the_browser_may_run_our_script_alone():
    page = document("t", "", ("group.js",))
    code = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert "</script" not in code


def test_every_page_says_what_it_is_not():
    assert "Research use, not a medical device." in document("t", "", ())
    assert "Research use, not a medical device." in header("t")
