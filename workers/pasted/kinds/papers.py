"""Tells running text of a certain kind by how it begins and ends: press releases, wire copy, papers, mail."""

import re
from collections.abc import Sequence

from workers.pasted.kinds.rows import NOTHING, Evidence, Row
from workers.pasted.mail_header import find_mail_header
from workers.pasted.phrases import opening, whole
from workers.pasted.region import is_prose

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_TOP_ROWS = 6  # lines at the start of a text in which it says what it is
_CERTAIN, _LIKELY = 0.95, 0.85  # scores
_PARTS = 0.3  # score of each of a press release's parts

_RELEASE = whole(
    r"(?:\W*(?:for )?immediate release|embargoed until|press release|media release|news release|pressemitteilung"
    r"|medienmitteilung|presseinformation|communiqué de presse|nota de prensa|comunicado de prensa|comunicato stampa"
    r"|persbericht|nota de imprensa|comunicado à imprensa|informacja prasowa|пресс-релиз|пресреліз"
    r"|pressmeddelande|pressemeddelelse|pressemelding|lehdistötiedote"
    r"|basın bülteni|δελτίο τύπου|tisková zpráva|新闻稿|新聞稿|プレスリリース|報道資料|보도자료|بيان صحفي)\b.*",
)
_CONTACT = whole(
    r"(?:(?:media|press) (?:contact|inquiries|enquiries)|pressekontakt|ansprechpartner\S*|contacts? presse"
    r"|contacto de prensa|contatti stampa|ufficio stampa|perscontact|contacto de imprensa"
    r"|kontakt dla mediów|контакты для сми|presskontakt"
    r"|媒体联系\S*|媒體聯絡\S*|報道関係\S*|お問い合わせ\S*|언론\s?문의)\b\s*[:：]?.*",
)
_ABOUT = opening(
    r"(?:about|über|à propos d|acerca de|sobre|informazioni su|over|o firmie|о компании|关于|關於|について)"
)
_END_OF_RELEASE = re.compile(r"\W*#\s?#\s?#\W*|[-–—]\s?(?:30|ENDS?|ENDE)\s?[-–—]|ENDS?\Z")
_ABOUT_WORDS = 8.0  # words of the heading above what a company says of itself, at most

_DATELINE = re.compile(
    r"[^\W\d_][^.!?()\n]{1,60}\s?[(（][^\W\d_][\w/ .&-]{1,24}[)）]\s?[-–—]+\s?\S"
    r"|【[^】]{2,10}(?:共同|時事|聯合|ロイター)[^】]{0,6}】"
    r"|(?:新华社|中新网|中新社|中央社|新華社).{1,20}[电電]|[(（][^()（）=]{1,12}=[^()（）]{2,12}[)）]"
)
_DATELINE_ROWS = 4  # lines of prose at the start of which a dateline may stand

_REFERENCE = re.compile(
    r"\[\d{1,3}\]\s+\S|[^\W\d_][^.?!]{1,80}\.?,? \((?:19|20)\d\d[a-z]?\)\s?[.:,]"
    r"|\d{1,3}\.\s+[^\W\d_].{10,}\b(?:19|20)\d\d\b"
)
_DOI = re.compile(r"\bdoi\b|\bet al\b|\barxiv\b", re.IGNORECASE)
_CITED = re.compile(
    r"\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]|\([^()]{0,80}[^\W\d_][^()]{0,10}\s(?:19|20)\d\d[a-z]?(?:[,;][^()]{0,60})?\)"
)
_ABSTRACT = whole(
    r"(?:\W|\d)*(?:abstract|summary|zusammenfassung|résumé|resumen|riassunto|resumo|streszczenie|аннотация|摘要|要旨|초록)\W*.{0,3}"
)
_LEAST_REFERENCES, _LEAST_CITATIONS = 2, 3  # lines; with fewer of both it is no paper
_MOST_COUNTED = 4  # references, and lines with citations, that count
_REFERENCE_SCORE, _CITATION_SCORE, _ABSTRACT_SCORE = 0.14, 0.1, 0.2  # what each counts for

_GREETING_WORDS = 6.0  # words of a greeting, at most
_CLOSING_WORDS = 5.0  # words of the greeting at the end, and of the name below it, at most
_GREETING_ENDS = (",", "，", "!", "！", "،")
_LEAST_MAIL, _MOST_MAIL = 4, 60  # lines of a mail without a header
_TOLD_SHARE = 0.5  # of its words, in sentences


def press_release(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a press release: it says so, or has its contact, what the sender is, and an end mark."""
    if any(_RELEASE.match(row.text) for row in rows[:_TOP_ROWS]):
        return _all(rows, _CERTAIN)
    tail = rows[-3 * _TOP_ROWS :]
    about = any(_ABOUT.match(row.text) and row.line.words <= _ABOUT_WORDS and not row.line.closed for row in tail)
    parts = (
        any(_CONTACT.match(row.text) for row in rows),
        about,
        any(_END_OF_RELEASE.fullmatch(row.text) for row in tail),
    )
    return _all(rows, _PARTS * sum(parts)) if sum(parts) > 1 else NOTHING


def wire(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of an agency's report: place and agency stand before the first sentence."""
    first = [row for row in rows if is_prose(row.line)][:_DATELINE_ROWS]
    return _all(rows, _LIKELY) if any(_DATELINE.match(row.text) for row in first) else NOTHING


def paper(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a paper: citations, references at its end, an abstract."""
    references = sum(1 for row in rows if _REFERENCE.match(row.text))
    cited = sum(1 for row in rows if is_prose(row.line) and (_CITED.search(row.line.text) or _DOI.search(row.text)))
    if references < _LEAST_REFERENCES and cited < _LEAST_CITATIONS:
        return NOTHING
    score = _REFERENCE_SCORE * min(references, _MOST_COUNTED) + _CITATION_SCORE * min(cited, _MOST_COUNTED)
    return _all(rows, score + _ABSTRACT_SCORE * any(_ABSTRACT.match(row.text) for row in rows))


def mail(rows: Sequence[Row], *, quotes: bool) -> Evidence:
    """Returns the evidence of an e-mail: a header, a quoted mail, or a greeting at either end."""
    if quotes or find_mail_header([row.line for row in rows]):
        return _all(rows, _CERTAIN)
    if len(rows) < _LEAST_MAIL:
        return NOTHING
    first, *_, farewell, name = (row.line for row in rows)
    told = sum(row.line.words for row in rows if is_prose(row.line)) >= _TOLD_SHARE * sum(
        row.line.words for row in rows
    )
    greets = (
        told
        and len(rows) <= _MOST_MAIL
        and first.words <= _GREETING_WORDS
        and first.text.endswith(_GREETING_ENDS)
        and not first.item
    )
    signed = name.words <= _CLOSING_WORDS and not name.closed and farewell.words <= _CLOSING_WORDS
    short = name.words <= _CLOSING_WORDS and not name.closed and farewell.closed
    return _all(rows, _LIKELY if greets and signed else 0.6 if greets and short else 0.0)  # 0.6: chosen, a doubtful one


def _all(rows: Sequence[Row], score: float) -> Evidence:
    return Evidence(min(score, 1.0), frozenset(range(len(rows)))) if score else NOTHING
