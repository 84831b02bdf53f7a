import pytest

from workers.pasted.strip_markdown import is_markdown, unmark
from workers.pasted.text_reader import read_text

BODY = "The **council** has bought a [second ferry](https://harbour.example/ferry), and it *will* sail from June."
PAGE = f"""---
title: A second ferry
date: 2025-05-04
---

# A second ferry

{BODY}

![the old ferry](ferry.jpg)

## What it costs

- Adults pay `six` a crossing
- Children sail for _nothing_

1. Buy a ticket
2. Go on board

> We are glad,
> she said.

```
fare = 6 * 2 ** adults
```

| Island | Boats |
| --- | --- |
| North | 2 |
"""


def test_marks_go_and_words_stay() -> None:
    assert is_markdown(PAGE)
    assert [line for line in unmark(PAGE).lines if line] == [
        "2025-05-04",
        "A second ferry",
        "The council has bought a second ferry, and it will sail from June.",
        "What it costs",
        "- Adults pay six a crossing",
        "- Children sail for nothing",
        "1. Buy a ticket",
        "2. Go on board",
        "We are glad, she said.",
        "fare = 6 * 2 ** adults",
        "Island | Boats",
        "North | 2",
    ]


def test_markdown_is_read_as_plain_text_is() -> None:
    text = read_text(f"# A second ferry\n\n{BODY}\n\n- one boat\n- two boats\n").text
    assert "The council has bought a second ferry, and it will sail from June." in text
    assert "- one boat\n- two boats" in text


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 * 2 = 30, and 2 ** 8 = 256.",
        "* one\n* two\n* three",
        "The file is called my_old_file_name.txt, and [sic] stands in it.",
        "#ferry #islands",
        "She said *no*, and **meant** it.",
        "See note [1] (page 4).",
    ],
)
def test_text_that_merely_has_such_characters_is_left_alone(text: str) -> None:
    assert not is_markdown(text)
    assert read_text(text).text.replace("- ", "* ") == text or read_text(text).text in ("", text)


def test_front_matter_names_title_author_and_date() -> None:
    draft = read_text(
        "---\ntitle: A second ferry\nauthor: Jane Roe\ndate: 2025-05-04\ntags: [boats, islands]\n---\n\n"
        "The council has bought a second ferry, and it will sail from June on every day but Sundays.\n\n"
        "Until then the old one stays in service, as the harbour master told the islanders on Monday.\n"
    )
    assert draft.title is not None
    assert draft.title.value == "A second ferry"
    assert draft.authors is not None
    assert draft.authors.value == ("Jane Roe",)
    assert draft.published is not None
    assert draft.published.value == "2025-05-04"
    assert "tags" not in draft.text
    assert draft.text.startswith("The council has bought")
