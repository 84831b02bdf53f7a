"""Threads and questions as the engines of forums write them, made for these tests. Who said what is the same in all."""

POSTS = (
    (
        "mira",
        "2024-05-03",
        "My bread does not rise any more since we moved to the island. What has changed but the water?",
    ),
    (
        "old_baker",
        "2024-05-04",
        "It is the cold, not the water. Put the bowl beside the stove and wait twice as long as before.",
    ),
    ("Tilo K.", "2024-05-06", "Salt in the well can do it, too. Boil a litre, taste what is left, and then you know."),
)
MENU = (
    "<ul class='menu'><li><a href='/'>Home</a></li><li><a href='/new'>New posts</a></li>"
    "<li><a href='/faq'>FAQ</a></li></ul>"
)


def page(body: str, head: str = "", lang: str = "en") -> str:
    top = f"<!doctype html><html lang='{lang}'><head><title>Bread</title>{head}</head>"
    return f"{top}<body>{MENU}<h1>Bread</h1>{body}</body></html>"


def each(template: str) -> str:
    """Returns `template` for each post; `NAME`, `DAY`, `SAID` and `N` stand for its parts."""
    pieces = []
    for number, (name, day, said) in enumerate(POSTS, 1):
        filled = template.replace("NAME", name).replace("DAY", day).replace("SAID", said)
        pieces.append(filled.replace("N0", str(number)))
    return "".join(pieces)


BULLETIN = page(
    each(
        "<div id='p10N0' class='post bgN0'><div class='postbody'><h3><a href='#pN0'>Re: Bread</a></h3>"
        "<p class='author'>by <strong><a href='./memberlist.php?mode=viewprofile&amp;u=N0'>NAME</a></strong> "
        "» DAY 10:12</p>"
        "<div class='content'>SAID</div><div class='signature'>Bake more</div></div>"
        "<dl class='postprofile'><dt><a href='./memberlist.php?mode=viewprofile&amp;u=N0'>NAME</a></dt>"
        "<dd>Posts: 1N0</dd></dl></div>"
    )
)
TABLES = page(
    each(
        "<table id='postN0' class='tborder'><tr><td class='thead'>DAY, 10:12</td><td class='thead'>#N0</td></tr>"
        "<tr><td class='alt2'><a class='bigusername' href='member.php?u=N0'>NAME</a><div>Senior Member</div></td>"
        "<td class='alt1'><div id='post_message_N0'>SAID</div><div>Quote</div></td></tr></table>"
    )
)
ARTICLES = page(
    each(
        "<article class='message message--post' data-author='NAME' id='js-post-N0'><section class='message-user'>"
        "<h4><a class='username' href='/members/NAME.N0/'>NAME</a></h4><h5>Member</h5></section>"
        "<header><time datetime='DAYT10:12:00+0200'>May</time></header>"
        "<div class='message-body'><div class='bbWrapper'>SAID</div></div><footer>Like Reply</footer></article>"
    )
)
COMMENT_TREE = page(
    "<table class='tree'>"
    + each(
        "<tr class='athing comtr' id='400N0'><td><span class='comhead'><a href='user?id=NAME' class='hnuser'>NAME</a>"
        "<span class='age' title='DAYT10:12:00'><a href='item?id=N0'>on a day</a></span></span>"
        "<div class='comment'><div class='commtext c00'>SAID</div><div class='reply'>reply</div></div></td></tr>"
    )
    + "</table>"
)
NO_NAMED_AUTHORS = page(
    each(
        "<div id='pN0' class='blockpost'><h2><span>#N0</span> <a href='viewtopic.php?pid=N0'>DAY 10:59:47</a></h2>"
        "<div class='postleft'><dl><dt><strong>NAME</strong></dt><dd>Member</dd></dl></div>"
        "<div class='postmsg'><p>SAID</p></div></div>"
    )
)
CUSTOM_ELEMENTS = page(
    each("<x-comment author='NAME' created-timestamp='DAYT10:12:00.000Z'><div class='md'><p>SAID</p></div></x-comment>")
)
MICRODATA = page(
    "<div itemscope itemtype='http://schema.org/DiscussionForumPosting'>"
    + each(
        "<div itemprop='comment' itemscope itemtype='http://schema.org/Comment'>"
        "<span itemprop='author' itemscope itemtype='http://schema.org/Person'>"
        "<a href='/u/NAME'><span itemprop='name'>NAME</span></a></span>"
        "<time itemprop='datePublished' datetime='DAYT10:12:00Z'>May</time><div itemprop='text'><p>SAID</p></div></div>"
    )
    + "</div>"
)
NESTED = page(
    "<div class='c'><a class='author' href='/user/mira'>mira</a> <time datetime='2024-05-03'>3 May</time>"
    f"<div class='body'>{POSTS[0][2]}</div>"
    "<div class='c'><a class='author' href='/user/old_baker'>old_baker</a> <time datetime='2024-05-04'>4 May</time>"
    f"<div class='body'>{POSTS[1][2]}</div>"
    "<div class='c'><a class='author' href='/user/tilo'>Tilo K.</a> <time datetime='2024-05-06'>6 May</time>"
    f"<div class='body'>{POSTS[2][2]}</div></div></div></div>"
)
THREADS = {
    "bulletin": BULLETIN,
    "tables": TABLES,
    "articles": ARTICLES,
    "comment tree": COMMENT_TREE,
    "no named authors": NO_NAMED_AUTHORS,
    "custom elements": CUSTOM_ELEMENTS,
    "microdata": MICRODATA,
    "nested": NESTED,
}
