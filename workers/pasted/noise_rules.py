"""Rules that remove a line by its words. They apply only to short lines, and never remove a paragraph."""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from workers.pasted import phrases, word_lists
from workers.pasted.lines import Line
from workers.pasted.phrases import opening, whole


class Rule(StrEnum):
    """Why a piece of pasted text is not in the article."""

    TITLE = "title"  # it became the title
    BYLINE = "byline"  # it names the authors
    TIMESTAMP = "timestamp"  # a date or time, or how long reading takes
    AVATAR = "avatar"  # the alternative text of an author's picture
    SHARE_LINE = "share_line"  # nothing but names of networks and words for sharing
    PRINT_LINE = "print_line"  # the print button
    RUNNING_HEAD = "running_head"  # it stands on each page of a print, with the number of the page
    COUNTER = "counter"  # a number alone, or with what it counts
    CAPTION = "caption"  # the caption of a picture, recognised by its wording
    PHOTO_CREDIT = "photo_credit"  # it names a picture's owner
    LOADING = "loading"  # a placeholder for content that was still loading
    ADVERT = "advert"  # a label of an advertisement
    RELATED = "related"  # it leads to another article
    PROMPT = "prompt"  # it asks the reader to subscribe, sign in, click
    COMMENTS = "comments"  # the comment section and its controls
    COOKIES = "cookies"  # a consent notice
    COPYRIGHT = "copyright"  # it claims rights to the page
    BIO = "bio"  # it introduces the author
    END_MARK = "end_mark"  # the mark of an agency below the last line
    QUOTED_REPLY = "quoted_reply"  # quoted from the e-mail that this one answers
    MAIL_HEADER = "mail_header"  # from, to, date or subject of an e-mail
    TRUNCATION_MARK = "truncation_mark"  # a few words cut off by dots
    BREADCRUMB = "breadcrumb"  # the path to the page
    LINK = "link"  # an address or a handle alone
    CUE = "cue"  # the number and the times of a subtitle, or the head of their file
    FENCE = "fence"  # it opens or closes code
    ORNAMENT = "ornament"  # no letter and no digit
    REPEATED = "repeated"  # a copy of an earlier line
    MENU = "menu"  # a line of a text of nothing but labels
    BEFORE_TEXT = "before_text"  # it stood before the article
    AFTER_TEXT = "after_text"  # it stood after the article
    BOILERPLATE = "boilerplate"  # between lines of the article, but not part of it by the model


# The furniture of a page: a text with such lines was not copied alone.
FURNITURE = frozenset(
    {
        Rule.SHARE_LINE, Rule.PRINT_LINE, Rule.ADVERT, Rule.RELATED, Rule.PROMPT, Rule.COMMENTS, Rule.COOKIES,
        Rule.COPYRIGHT, Rule.LOADING, Rule.BREADCRUMB,
    }
)  # fmt: skip
# Chosen by hand on pasted pages.
MAX_NOISE_WORDS = 30  # words; longer lines are removed only because of their place
_MAX_NOISE_CHARS = 300  # characters; the same
_LINES_OF_A_PAGE = 1024  # entries of the cache: each line is read several times
_MAX_LABEL_WORDS = 14  # words of a label
_MAX_TRUNCATED_WORDS = 3  # words of a line that dots cut off

# Rules whose words can also begin a sentence of an article.
_SPOKEN = frozenset({Rule.PROMPT, Rule.RELATED, Rule.CAPTION, Rule.PHOTO_CREDIT, Rule.COOKIES, Rule.COMMENTS})
_MIN_SPOKEN_WORDS = 4.0  # words of a sentence, at least

_WORD = re.compile(r"[\w@'’-]+")
_TAIL_CHARS = 40  # characters at the end of a line in which a picture agency is looked for; chosen by hand
_CREDIT_CHARS = 120  # characters at the end of a line in which a picture's credit is looked for; chosen by hand
_NUMBER = re.compile(r"\W*\d[\d.,\s]*[kKmM%]?\W*\Z")
_COUNTED = whole(rf"\W*\d[\d.,]*\s?[km]?\+?\s*{phrases.COUNTED}\W*", rf"{phrases.COUNTED}\W*\d[\d.,]*[km]?\W*")
_LINK = whole(r"\W*(?:https?://|www\.)\S+", r"\W*@[\w.]+", r"[\w.+-]+@[\w.-]+\.\w+", r"#[\w-]+(?:[\s,]+#[\w-]+)*")
_PRINT = whole(phrases.PRINT)
_AGENCY = opening(phrases.AGENCY)
_CREDITED = opening(phrases.CREDITED)
_END_MARK = re.compile(phrases.END_MARK)  # in capitals only
_DATE = opening(phrases.DATE)
_TIME = opening(phrases.TIME)
_CELLS = " | "
_QUANTITY = re.compile(r"[%$€£¥+]")
_MIN_TIMESTAMP_CHARS = 6  # "1.1.24"

_BY_WORDING = (
    # More specific rules first, each with the number of words of a line that it can remove, at most.
    (Rule.LOADING, whole(phrases.LOADING), _MAX_LABEL_WORDS),
    (Rule.ADVERT, whole(phrases.ADVERT), _MAX_LABEL_WORDS),
    (Rule.COMMENTS, whole(phrases.COMMENTS), _MAX_LABEL_WORDS),
    (Rule.BREADCRUMB, whole(phrases.BREADCRUMB), _MAX_LABEL_WORDS),
    (Rule.RUNNING_HEAD, whole(phrases.PAGE_NUMBER), _MAX_LABEL_WORDS),
    (Rule.SHARE_LINE, whole(phrases.SHARE_LABEL), _MAX_LABEL_WORDS),
    (Rule.COOKIES, opening(phrases.COOKIES), MAX_NOISE_WORDS),
    (Rule.COPYRIGHT, whole(phrases.COPYRIGHT), MAX_NOISE_WORDS),
    (Rule.BIO, opening(phrases.BIO), _MAX_LABEL_WORDS),
    (Rule.BIO, whole(phrases.DESK_CREDIT), MAX_NOISE_WORDS),
    (Rule.CAPTION, whole(phrases.CAPTION), MAX_NOISE_WORDS),
    (Rule.PHOTO_CREDIT, opening(phrases.CREDIT), _MAX_LABEL_WORDS),
    (Rule.RELATED, opening(phrases.RELATED), _MAX_LABEL_WORDS),
    (Rule.PROMPT, opening(phrases.PROMPT), _MAX_LABEL_WORDS),
    (Rule.PROMPT, opening(phrases.PASS_ON), MAX_NOISE_WORDS),
    (Rule.TRUNCATION_MARK, whole(phrases.TRUNCATED), _MAX_TRUNCATED_WORDS),
    (Rule.AVATAR, whole(phrases.AVATAR), _MAX_LABEL_WORDS),
)


def noise_rule(line: Line) -> Rule | None:
    """Returns the rule that makes a line noise regardless of its place, or None. An ornament may be of any length."""
    if _is_ornament(line.text):
        return Rule.ORNAMENT
    if len(line.text) > _MAX_NOISE_CHARS or line.words > MAX_NOISE_WORDS:
        return None
    shape = next((rule for rule, fits in _BY_SHAPE if fits(line.text)), None)
    if shape:
        return shape
    return next((rule for rule, said, most in _BY_WORDING if line.words <= most and said.match(line.text)), None)


def is_sentence(line: Line, rule: Rule | None) -> bool:
    """True if `rule` went by the first words of a whole sentence, which may be part of an article."""
    return rule in _SPOKEN and line.closed and line.words >= _MIN_SPOKEN_WORDS


def find_date(text: str) -> str | None:
    """Returns the first date in a line as it is written there, or None."""
    return None if len(text) > _MAX_NOISE_CHARS or not any(map(str.isdigit, text)) else _search_date(text)


@lru_cache(_LINES_OF_A_PAGE)
def _search_date(text: str) -> str | None:
    match = _DATE.search(text)
    return match[0] if match else None


def _is_ornament(text: str) -> bool:
    return not any(map(str.isalnum, text))


def _is_counter(text: str) -> bool:
    return bool(_NUMBER.match(text) or _COUNTED.match(text))


def _is_timestamp(text: str) -> bool:
    """True if a line has only dates, times, and the words that go with them."""
    if len(text) < _MIN_TIMESTAMP_CHARS or not any(map(str.isdigit, text)) or _QUANTITY.search(text):
        return False
    rest, dates = _DATE.subn(" ", text)
    rest, times = _TIME.subn(" ", rest)
    if times > 1 and not dates and _CELLS in text:
        return False  # a row of a timetable
    others = [word for word in re.findall(r"\w+", rest.casefold()) if word not in word_lists.TIMESTAMP]
    return dates + times > 0 and (not others or (len(others) == 1 and others[0].isdigit()))


def _is_print_line(text: str) -> bool:
    return bool(_PRINT.match(text))


def _is_share_line(text: str) -> bool:
    said = set(_WORD.findall(text.casefold()))
    return said <= word_lists.SHARE and not said.isdisjoint(word_lists.SHARE_CORE)


def _is_link(text: str) -> bool:
    return bool(_LINK.match(text))


def _is_credited(text: str) -> bool:
    return bool(_AGENCY.search(text[-_TAIL_CHARS:]))


def _is_credited_caption(text: str) -> bool:
    return bool(_CREDITED.search(text[-_CREDIT_CHARS:]))


def _is_end_mark(text: str) -> bool:
    return bool(_END_MARK.match(text))


_BY_SHAPE: tuple[tuple[Rule, Callable[[str], bool]], ...] = (
    (Rule.END_MARK, _is_end_mark),
    (Rule.COUNTER, _is_counter),
    (Rule.TIMESTAMP, _is_timestamp),
    (Rule.PRINT_LINE, _is_print_line),
    (Rule.SHARE_LINE, _is_share_line),
    (Rule.LINK, _is_link),
    (Rule.PHOTO_CREDIT, _is_credited),
    (Rule.CAPTION, _is_credited_caption),
)
