"""Pages to assess: an article, an index, a log-in."""

from workers.page.head import read_head
from workers.page.segment import segment
from workers.page.tree import parse
from workers.quality.assessment import AssessedPage, assess

URL = "https://www.harbour-gazette.example/news/2024/03/05/ferry-returns-after-nine-years"
PROSE = (
    "The last ferry left the old harbour nine years ago, and few believed that one would ever come back to the town.",
    "On Tuesday morning it did, an hour late and with a brass band on deck, to the cheers of the whole of the town.",
    "The company means to sail twice a day from May, and hourly once the second ship is ready for the open sea again.",
    "Nobody knows yet what a ticket will cost, said the harbour master, but it will be less than the bus to the city.",
)
NAVIGATION = "<nav><a href=/>Home</a> <a href=/news>News</a> <a href=/sport>Sport</a> <a href=/login>Log in</a></nav>"


def page_of(body: str, *, head: str = "", url: str | None = URL) -> AssessedPage:
    html = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    tree = parse(html)
    return assess(tree, segment(tree[-1]), read_head(tree, html), url)


def article(*paragraphs: str, more: str = "") -> AssessedPage:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in (paragraphs or PROSE))
    head = '<title>Ferry returns after nine years</title><meta property="og:type" content="article">'
    return page_of(f"{NAVIGATION}<article><h1>Ferry returns after nine years</h1>{text}</article>{more}", head=head)


def index(teasers: int = 24) -> AssessedPage:
    teaser = (
        "<div class='card teaser'><a href='/news/{0}'><img src='/{0}.jpg'><h3>Council votes on bridge {0}</h3></a>"
        "<p>A short teaser.</p><time>{0} h ago</time></div>"
    )
    cards = "".join(teaser.format(number) for number in range(teasers))
    return page_of(
        f"{NAVIGATION}<main><h1>News</h1><div class='grid list'>{cards}</div></main>",
        head="<title>News - Harbour Gazette</title>",
        url="https://www.harbour-gazette.example/news/",
    )


def login(title: str, label: str) -> AssessedPage:
    fields = f"<label>{label}</label><input name=user><input type=password><button>{title}</button>"
    form = f"<form><h1>{title}</h1>{fields}</form>"
    return page_of(form, head=f"<title>{title} | Gazette</title>", url="https://www.harbour-gazette.example/account")
