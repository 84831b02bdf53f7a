"""Finds the header of an e-mail: consecutive lines like `Subject: …`, as mail programs write them in ten languages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.pasted.lines import Line
from workers.pasted.phrases import opening
from workers.pasted.region import is_prose

# Chosen by hand.
_LOOKED_AT = 40  # lines at the start of a text in which a header may begin
_MIN_LINES = 2  # lines of a header, at least

_COLON = r"\s?[:：]\*{0,2}\s*(?=\S)"
_SUBJECT = opening(rf"\W*(?:subject|betreff|objet|asunto|oggetto|assunto|onderwerp|тема|件名|主题)\W?{_COLON}")
_OTHER = opening(
    rf"\W*(?:from|to|cc|bcc|cci|ccn|date|sent|reply-to|von|an|datum|gesendet|de|à|a|date|envoyé|répondre à|para"
    rf"|fecha|enviado|da|data|inviato|enviada|van|aan|verzonden|от|кому|дата|отправлено|差出人|宛先|日時|发件人|收件人)\W?{_COLON}"
)
_REPLY = re.compile(r"(?:(?:re|fwd?|aw|wg|tr|rv|antw|doorst|enc|res)\s?:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailHeader:
    """The header's lines, `start` up to `stop`, and its subject without `Re:`."""

    start: int
    stop: int
    subject: str


def find_mail_header(lines: Sequence[Line]) -> MailHeader | None:
    """Returns the header that opens the text, or None. It has a subject and at least one more line, no prose above.

    A forwarded mail has several headers: all lines from the first to the last of them count as header.
    """
    mail = None
    start = 0
    while start < min(len(lines), _LOOKED_AT):
        stop = _stop_of(lines, start)
        subject = next((found for line in lines[start:stop] if (found := _subject_of(line.text))), None)
        if subject and stop - start >= _MIN_LINES:
            mail = MailHeader(mail.start if mail else start, stop, mail.subject if mail else subject)
        if any(map(is_prose, lines[start : stop + 1])):
            break
        start = stop + 1
    return mail


def _stop_of(lines: Sequence[Line], start: int) -> int:
    others = (index for index in range(start, len(lines)) if not is_header(lines[index].text))
    return next(others, len(lines))


def is_header(text: str) -> bool:
    """True if a line is a field of a header."""
    return bool(_OTHER.match(text) or _SUBJECT.match(text))


def is_subject(text: str) -> bool:
    """True if a line is the subject field of a header."""
    return bool(_SUBJECT.match(text))


def _subject_of(text: str) -> str | None:
    match = _SUBJECT.match(text)
    return _REPLY.sub("", text[match.end() :], count=1).strip() if match else None
