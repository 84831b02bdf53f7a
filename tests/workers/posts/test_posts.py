import json

import pytest

from contract.article import Post
from tests.workers.posts.pages import ARTICLES, MENU, POSTS, THREADS, page
from workers.page.head import read_head
from workers.page.tree import parse
from workers.posts.find import find_posts


def posts_of(html: str, *, is_thread: bool = True) -> tuple[Post, ...]:
    tree = parse(html)
    return find_posts(tree, read_head(tree, html), is_thread=is_thread)


def as_told(posts: tuple[Post, ...]) -> list[tuple[str | None, str, str]]:
    return [(post.author, (post.published or "")[:10], post.text) for post in posts]


def script(data: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps(data)}</script>"


@pytest.mark.parametrize("name", THREADS)
def test_each_post_of_a_thread_has_its_author_day_and_text(name: str) -> None:
    assert as_told(posts_of(THREADS[name])) == list(POSTS)


def test_a_page_that_is_no_thread_is_not_searched_for_posts() -> None:
    assert posts_of(ARTICLES, is_thread=False) == ()


def test_menus_and_teasers_are_no_posts() -> None:
    teasers = "".join(
        f"<div class='teaser'><time datetime='{day}'>May</time><h2><a href='/{name}'>{said}</a></h2></div>"
        for name, day, said in POSTS
    )
    assert posts_of(page(MENU * 3)) == ()
    assert posts_of(page(f"<main>{teasers}</main>")) == ()


def person(name: str) -> dict[str, str]:
    return {"@type": "Person", "name": name}


def test_comments_in_json_ld_follow_the_post_that_they_are_on() -> None:
    first, second, third = ({"author": person(name), "datePublished": day, "text": said} for name, day, said in POSTS)
    thread = {"@type": "DiscussionForumPosting", **first, "comment": [{"@type": "Comment", **second, "comment": third}]}
    assert as_told(posts_of(page("", script(thread)), is_thread=False)) == list(POSTS)


def test_the_accepted_answer_follows_the_question() -> None:
    first, second, third = ({"author": person(name), "dateCreated": day, "text": said} for name, day, said in POSTS)
    question = {
        "@type": "Question",
        "name": "Bread",
        **first,
        "acceptedAnswer": third,
        "suggestedAnswer": [second, third],
    }
    posts = posts_of(page("", script({"@type": "QAPage", "mainEntity": question})), is_thread=False)
    assert as_told(posts) == [POSTS[0], POSTS[2], POSTS[1]]
    assert [post.accepted for post in posts] == [False, True, False]


def qa_item(number: int, kind: str, role: str, rest: str = "") -> str:
    name, day, said = POSTS[number]
    return (
        f"<div itemprop='{role}' itemscope itemtype='https://schema.org/{kind}'>"
        f"<div itemprop='text'><p>{said}</p></div><time itemprop='dateCreated' datetime='{day}'>May</time>"
        f"<div itemprop='author' itemscope itemtype='https://schema.org/Person'>"
        f"<a itemprop='name'>{name}</a></div>{rest}</div>"
    )


def test_answers_in_microdata_are_posts_and_the_comments_on_them_are_not() -> None:
    comment = (
        "<div itemprop='comment' itemscope itemtype='https://schema.org/Comment'><p itemprop='text'>So true.</p></div>"
    )
    answers = qa_item(1, "Answer", "suggestedAnswer", comment) + qa_item(2, "Answer", "acceptedAnswer")
    posts = posts_of(page(qa_item(0, "Question", "mainEntity", answers)), is_thread=False)
    assert as_told(posts) == [POSTS[0], POSTS[2], POSTS[1]]
    assert [post.accepted for post in posts] == [False, True, False]


def test_frequently_asked_questions_are_no_posts() -> None:
    answer = {"@type": "Answer", "text": "From May on."}
    faq = {"@type": "FAQPage", "mainEntity": [{"@type": "Question", "name": "When?", "acceptedAnswer": answer}] * 3}
    items = "<div itemscope itemtype='https://schema.org/Question'><p itemprop='text'>When does it sail?</p></div>" * 3
    assert posts_of(page("", script(faq)), is_thread=False) == ()
    assert posts_of(page(items), is_thread=False) == ()


def test_a_first_post_that_only_json_ld_has_comes_first() -> None:
    name, day, said = (
        "harbour",
        "2024-05-02",
        "Does anybody on the north side bake? Tell us what you do about the cold.",
    )
    thread = {"@type": "DiscussionForumPosting", "author": person(name), "datePublished": day, "text": said}
    assert as_told(posts_of(ARTICLES.replace("</head>", f"{script(thread)}</head>"))) == [(name, day, said), *POSTS]


def test_html_in_json_ld_becomes_text() -> None:
    thread = {"@type": "DiscussionForumPosting", "author": person("mira"), "text": "<p>One.</p><ul><li>two</li></ul>"}
    assert [post.text for post in posts_of(page("", script(thread)))] == ["One.\n\n- two"]


def test_the_day_on_which_a_member_joined_is_not_the_day_of_a_post() -> None:
    days = iter(("2019-02-01", "2011-07-09", "2016-03-04"))
    parts = ARTICLES.split("<h5>Member</h5>")
    joined = parts[0] + "".join(f"<h5>Joined <span>{next(days)}</span></h5>{part}" for part in parts[1:])
    assert as_told(posts_of(joined)) == list(POSTS)
