"""Finds posts by what threads of all engines have in common: elements of one form, each with an author and a date."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contract.article import Post
from workers.metadata.elements import SILENT
from workers.page.tree import Element
from workers.page.words import squeeze, word_set
from workers.posts.hints import author_in, date_in, is_name
from workers.posts.words import text_of

# Chosen by hand, with the thread pages of WCXB in view.
_LEAST_POSTS, _MOST_POSTS = 2, 1000  # of a page
_COMPLETE_SHARE = 0.6  # of the elements of one form that have an author and a date, at least
_NEAR_BEST = 0.85  # of the most characters that elements of one form have; among those, the smallest elements win
_BODY_SHARE = 0.8  # of the posts that have the element that holds the text
_BODY_CHARS = 0.3  # of the characters of posts that are in it, at least
_COMMON_SHARE = 0.5  # of the posts that have the same words: labels
_MOST_LOOKED_AT = 60  # elements of a post among which its author's name is
_MOST_DATES = 4  # of a post that are compared
_DAY_CHARS = len("2024-05-03")
_SMALLER_BODY = 0.8  # of the characters of the best element for the text, from which on a smaller one is taken
_POST_CHARS = 2  # characters of a post, at least
_DIGITS = re.compile(r"\d+")
_INLINE = word_set("a abbr b button em font i img input label small strong sub sup time u use path option")
_ACCEPTED = re.compile(r"accepted|best-?answer|is-?solution|(?:^|[\s_-])solution|solved", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Page:
    """The elements of a page in order: where each one's subtree ends, and the characters before each."""

    elements: Sequence[Element]
    ends: Sequence[int]
    chars: Sequence[int]

    def size(self, at: int) -> int:
        """The characters below the element `at`."""
        return self.chars[self.ends[at]] - self.chars[at]


@dataclass(frozen=True, slots=True)
class _Hints:
    """What may be an author, what is surely a name alone, and dates, each with the place of its element."""

    authors: Sequence[tuple[int, str]]
    names: Sequence[tuple[int, str]]
    dates: Sequence[tuple[int, str]]


@dataclass(slots=True)
class _Member:
    """An element that may be a post; `at` is its place on the page, `inner` the members right inside it."""

    at: int
    inner: list["_Member"] = field(default_factory=list)
    author: tuple[int, str] | None = None
    sure: tuple[int, str] | None = None
    dates: list[tuple[int, str]] = field(default_factory=list)
    date: tuple[int, str] | None = None

    @property
    def is_complete(self) -> bool:
        """True if it names an author and a date."""
        return self.author is not None and self.date is not None


def repeated_posts(body: Element, language: str) -> list[Post]:
    """Returns the posts of a thread, in the order of the page; none if nothing on it looks like one."""
    page = _index(body)
    dates = [(at, date) for at, element in enumerate(page.elements) if (date := date_in(element, language))]
    if len(dates) < _LEAST_POSTS:
        return []
    named = [(at, *author_in(element)) for at, element in enumerate(page.elements)]
    authors = [(at, name) for at, name, _ in named if name]
    hints = _Hints(authors, [(at, name) for at, name, sure in named if sure], dates)
    groups = [_members(page, places, hints) for places in _alike(page).values()]
    members = _best(page, [group for group in groups if _is_thread(group)])
    if not members:
        for group in groups:
            _name_by_place(page, group)
        members = _best(page, [group for group in groups if _is_thread(group)])
    return _posts(page, members) if members else []


def _index(body: Element) -> _Page:
    elements = list(body.iter("*"))
    place = {element: at for at, element in enumerate(elements)}
    ends = list(range(1, len(elements) + 1))
    chars = [0] * (len(elements) + 1)
    for at in range(len(elements) - 1, -1, -1):
        parent = elements[at].getparent()
        if at and parent is not None and parent in place:
            ends[place[parent]] = max(ends[place[parent]], ends[at])
    for at, element in enumerate(elements):
        silent = element.tag in SILENT
        chars[at + 1] = (
            chars[at] + (0 if silent else len((element.text or "").strip())) + len((element.tail or "").strip())
        )
    return _Page(elements, ends, chars)


def _alike(page: _Page) -> Mapping[str, list[int]]:
    """Returns the places of the elements with the same tag and a class, or an id but for its number, in common."""
    groups: dict[str, list[int]] = defaultdict(list)
    for at, element in enumerate(page.elements):
        if element.tag not in _INLINE:
            for key in _keys(element):
                groups[key].append(at)
    return {key: places for key, places in groups.items() if _LEAST_POSTS <= len(places) <= _MOST_POSTS}


def _keys(element: Element) -> Iterator[str]:
    tag = str(element.tag)
    for word in (element.get("class") or "").split():
        yield f"{tag}.{_DIGITS.sub('0', word)}"
    if (name := element.get("id")) and _DIGITS.search(name):
        yield f"{tag}#{_DIGITS.sub('0', name)}"
    if "-" in tag:
        yield tag


def _members(page: _Page, places: Sequence[int], hints: _Hints) -> list[_Member]:
    """Returns the elements at `places`, each with its author and date."""
    members = [_Member(at) for at in places]
    for outer, member in _within(page, members):
        outer.inner.append(member)
    for holder, hint in _holders(page, members, hints.authors):
        holder.author = holder.author or hint
    for holder, hint in _holders(page, members, hints.names):
        holder.sure = holder.sure or hint
    for holder, hint in _holders(page, members, hints.dates):
        holder.dates.append(hint)
    for member in members:
        member.author = member.sure or member.author
    _choose_dates(members)
    return members


def _within(page: _Page, members: Sequence[_Member]) -> Iterator[tuple[_Member, _Member]]:
    """Yields the members that stand inside another one, with the innermost around them."""
    around: list[_Member] = []
    for member in members:
        while around and page.ends[around[-1].at] <= member.at:
            around.pop()
        if around:
            yield around[-1], member
        around.append(member)


def _holders(
    page: _Page, members: Sequence[_Member], hints: Sequence[tuple[int, str]]
) -> Iterator[tuple[_Member, tuple[int, str]]]:
    """Yields each hint that stands in a member, with the innermost around it."""
    around: list[_Member] = []
    following = 0
    for hint in hints:
        while following < len(members) and members[following].at <= hint[0]:
            around.append(members[following])
            following += 1
        while around and page.ends[around[-1].at] <= hint[0]:
            around.pop()
        if around:
            yield around[-1], hint


def _choose_dates(members: Sequence[_Member]) -> None:
    """Gives each member one of its dates: the first, second or so that lets the posts stand in order of time.

    Those of registrations do not.
    """
    dated = [member for member in members if member.dates]
    best, fewest = 0, 1.0
    for slot in range(_MOST_DATES):
        days = [member.dates[slot][1][:_DAY_CHARS] for member in dated if len(member.dates) > slot]
        if len(days) < max(_LEAST_POSTS, _COMPLETE_SHARE * len(dated)):
            break
        falls = sum(one > other for one, other in pairwise(days))
        rises = sum(one < other for one, other in pairwise(days))
        if min(falls, rises) / len(days) < fewest:
            best, fewest = slot, min(falls, rises) / len(days)
    for member in dated:
        member.date = member.dates[min(best, len(member.dates) - 1)]


def _name_by_place(page: _Page, members: Sequence[_Member]) -> None:
    """Gives members with a date the short words as author that stand at the same place in all, but differ."""
    dated = [member for member in members if member.date and not member.author]
    if len(dated) < max(_LEAST_POSTS, _COMPLETE_SHARE * len(members)):
        return
    found = [_short_words(page, member) for member in dated]
    common = [path for path in found[0] if all(path in words for words in found)]
    varied = [path for path in common if len({words[path][1] for words in found}) > 1]
    names = [path for path in varied if all(is_name(words[path][1]) for words in found)]
    if names:
        for member, words in zip(dated, found, strict=True):
            member.author = words[names[0]]


def _short_words(page: _Page, member: _Member) -> dict[tuple[str, ...], tuple[int, str]]:
    """Returns the words of the elements in a member that have no others in them, by their path from the member."""
    top = page.elements[member.at]
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for at in range(member.at + 1, min(page.ends[member.at], member.at + _MOST_LOOKED_AT)):
        element = page.elements[at]
        if len(element) == 0 and (words := squeeze(element.text)):
            path = [str(element.tag)]
            for outer in element.iterancestors():
                if outer is top:
                    break
                path.append(str(outer.tag))
            found.setdefault(tuple(path), (at, words))
    return found


def _is_thread(members: Sequence[_Member]) -> bool:
    complete = sum(member.is_complete for member in members)
    return complete >= _LEAST_POSTS and complete >= _COMPLETE_SHARE * len(members)


def _own_chars(page: _Page, member: _Member) -> int:
    return page.size(member.at) - sum(page.size(inner.at) for inner in member.inner)


def _best(page: _Page, groups: Sequence[list[_Member]]) -> list[_Member]:
    """Returns the elements that hold most text; of those that hold nearly as much the most, and then the smallest."""
    sizes = [sum(_own_chars(page, member) for member in group if member.is_complete) for group in groups]
    most = max(sizes, default=0)
    near = [(group, size) for group, size in zip(groups, sizes, strict=True) if size >= _NEAR_BEST * most and size]
    return max(near, key=lambda pair: (sum(one.is_complete for one in pair[0]), -pair[1]), default=([], 0))[0]


def _posts(page: _Page, members: Sequence[_Member]) -> list[Post]:
    complete = [member for member in members if member.is_complete]
    bodies = _bodies(page, complete)
    labels = _labels(page, complete)
    posts = []
    for member, body in zip(complete, bodies, strict=True):
        author, date = member.author[1] if member.author else None, member.date[1] if member.date else None
        text = text_of(page.elements[body if body is not None else member.at], labels | {author or ""})
        if len(text) >= _POST_CHARS:
            posts.append(Post(author, date, text, _is_accepted(page, member)))
    return posts


def _bodies(page: _Page, members: Sequence[_Member]) -> list[int | None]:
    """Returns for each post the place of the element that holds its text alone, None if there is no such element."""
    found = [_parts(page, member) for member in members]
    total = sum(_own_chars(page, member) for member in members)
    keys: dict[str, int] = defaultdict(int)
    for parts in found:
        for key, at in parts.items():
            keys[key] += page.size(at)
    common = [key for key in keys if sum(key in parts for parts in found) >= _BODY_SHARE * len(members)]
    most = max((keys[key] for key in common), default=0)
    if most < max(1, _BODY_CHARS * total):
        return [None] * len(members)
    best = min((key for key in common if keys[key] >= _SMALLER_BODY * most), key=lambda key: keys[key])
    return [parts.get(best) for parts in found]


def _parts(page: _Page, member: _Member) -> dict[str, int]:
    """Returns the elements inside a post by what they have in common with others, without its author and its date."""
    hints = [hint[0] for hint in (member.author, member.date) if hint]
    parts: dict[str, int] = {}
    for at in _own_places(page, member):
        if not any(at <= hint < page.ends[at] for hint in hints):
            for key in _keys(page.elements[at]):
                parts.setdefault(key, at)
    return parts


def _own_places(page: _Page, member: _Member) -> Iterator[int]:
    """Yields the places of the elements in a post that are in no other post inside it."""
    inner = {one.at for one in member.inner}
    at = member.at + 1
    while at < page.ends[member.at]:
        if at in inner or page.elements[at].tag in SILENT:
            at = page.ends[at]
        else:
            yield at
            at += 1


def _labels(page: _Page, members: Sequence[_Member]) -> set[str]:
    """Returns the words that stand in many posts: buttons, the fields of profiles."""
    times: dict[str, int] = defaultdict(int)
    for member in members:
        for words in {(page.elements[at].text or "").strip() for at in _own_places(page, member)}:
            times[words] += 1
    least = max(_LEAST_POSTS, _COMMON_SHARE * len(members))
    return {words for words, count in times.items() if count > least}


def _is_accepted(page: _Page, member: _Member) -> bool:
    inside = (page.elements[at] for at in (member.at, *_own_places(page, member)))
    return any(_ACCEPTED.search(element.get("class") or "") for element in inside)
