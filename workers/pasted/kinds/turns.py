"""Tells chats, transcripts and interviews: turns of speakers, or questions and answers."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workers.pasted.kinds.rows import NOTHING, Evidence, Row, weigh

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_TURNS = 3
_TURNS_A_SPEAKER = 1.5  # on average, at least: labels of fields occur once
_LEAST_SPEAKERS = 2  # names
_MOST_INITIALS = 3  # speakers that a letter or a word and a full stop stand for
_NAMED_SHARE = 0.3  # of the lines of a chat that name their speakers
_INITIALS_SHARE = 0.6  # of the lines that begin so
_ANSWER_WORDS = 8.0  # words of an answer on average, at least: those of a chat are shorter
_REST_LINES, _HEADED_LINES = 2, 6  # lines of a turn below the one that names its speaker
_QUESTION_SHARE = 0.5  # of the turns of the person who asks
_LEAST_QUESTIONS = 2  # turns of the person who asks, at least
_QUESTION_WORDS = 45.0  # words of a question, at most
_LABEL_CHARS = 32  # characters of a speaker's name
_CLOCK = r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s?[AaPp]\.?[Mm]\.?)?"
_DAY = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_STAMPED = re.compile(rf"[\[(]?(?:{_DAY},?\s+)?{_CLOCK}[\])]?\s*[-–—]?\s*(?:<([^<>]{{1,40}})>|([^:：]{{1,40}})[:：])")
_BRACKETED = re.compile(r"(?:<([\w .@+-]{1,30})>\s|\*\s([\w.-]{1,30})\s)")
_HEADED = re.compile(rf"([^\W\d_](?:[^\d]{{0,26}}\S)?)\s+(?:[—–-]\s*)?(?:{_DAY},?\s+)?[\[(]?{_CLOCK}[\])]?\s*\Z")
_LABELLED = re.compile(
    rf"\W{{0,2}}([^\W\d_][^:：?!;]{{0,{_LABEL_CHARS}}}?)\*{{0,2}}\s?[:：]\*{{0,2}}(?:\s|(?<=：))\s*\S"
)
_INITIALED = re.compile(r"([^\W\d_][^\W\d_ ]{0,10})\.\s+\S")
_QUESTION = re.compile(r"[?？؟;][\"'”’»)」\]]*\Z")
_ASKS = re.compile(r"[?？؟][\"'”’»)」\]]*(?:\s|\Z)")


@dataclass(frozen=True, slots=True)
class Turns:
    """For each line its speaker, None if the line names none; and whether what is said follows on other lines."""

    speakers: Sequence[str | None]
    headed: bool = False

    @property
    def counts(self) -> Counter[str]:
        """How many turns each speaker has."""
        return Counter(speaker for speaker in self.speakers if speaker)

    @property
    def are_talk(self) -> bool:
        """True if the names come again and again."""
        counts = self.counts
        several = sum(1 for times in counts.values() if times > 1)
        total = sum(counts.values())
        return several >= _LEAST_SPEAKERS and total >= _LEAST_TURNS and total >= _TURNS_A_SPEAKER * len(counts)


def chat(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a chat or a transcript: turns that stand beside or below the names of speakers."""
    turns = find_turns(rows)
    return _weighed(rows, turns) if turns else NOTHING


def interview(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of an interview: one speaker asks, or lines with questions have answers below them."""
    turns = find_turns(rows)
    if turns is not None:
        return _weighed(rows, turns) if _one_asks(rows, turns) else NOTHING
    asked = [bool(_QUESTION.search(row.line.text)) and row.line.words <= _QUESTION_WORDS for row in rows]
    alternate = [ask and not after for ask, after in zip(asked, [*asked[1:], True], strict=True)]
    answers = [False, *alternate[:-1]]
    return weigh(rows, [ask or answer for ask, answer in zip(alternate, answers, strict=True)], 2 * _LEAST_TURNS)


def find_turns(rows: Sequence[Row]) -> Turns | None:
    """Returns the turns of speakers, None if nobody is named again and again."""
    texts = [row.text for row in rows]
    for pattern in (_STAMPED, _BRACKETED, _LABELLED, _INITIALED):
        turns = Turns([_name(pattern.match(text)) for text in texts])
        named = sum(turns.counts.values())
        by_letters = len(turns.counts) <= _MOST_INITIALS and named >= _INITIALS_SHARE * len(rows)
        if turns.are_talk and (pattern is not _INITIALED or by_letters):
            return turns
    headed = Turns([_name(_HEADED.fullmatch(text)) for text in texts], headed=True)
    return headed if headed.are_talk else None


def _name(match: re.Match[str] | None) -> str | None:
    """Returns the speaker in a match. Words that run on for long are no name."""
    found = next((group for group in match.groups() if group), None) if match else None
    return found.strip().casefold() if found and len(found) <= _LABEL_CHARS else None


def _weighed(rows: Sequence[Row], turns: Turns) -> Evidence:
    """Returns the evidence of turns, none if those that name their speakers are few among the lines."""
    found = weigh(rows, _covered(rows, turns), _LEAST_TURNS)
    named = sum(1 for at in found.rows if turns.speakers[at])
    return found if named >= _NAMED_SHARE * len(found.rows) else NOTHING


def _covered(rows: Sequence[Row], turns: Turns) -> list[bool]:
    """Returns which lines belong to turns: those with a name, and the next few below each of them."""
    most = _HEADED_LINES if turns.headed else _REST_LINES
    covered: list[bool] = []
    since = most + 1
    for row, speaker in zip(rows, turns.speakers, strict=True):
        follows = not row.line.gap or (turns.headed and since == 0)
        since = 0 if speaker else since + 1 if follows else most + 1
        covered.append(since <= most)
    return covered


def _one_asks(rows: Sequence[Row], turns: Turns) -> bool:
    """True if one of the speakers mostly asks, and the others answer in sentences."""
    said = [(speaker, row) for row, speaker in zip(rows, turns.speakers, strict=True) if speaker]
    counts = turns.counts
    asked = Counter(speaker for speaker, row in said if _ASKS.search(row.line.text))
    asking = {one for one, times in asked.items() if times >= max(_LEAST_QUESTIONS, _QUESTION_SHARE * counts[one])}
    answers = [row.line.words for speaker, row in said if speaker not in asking]
    return bool(asking and answers) and sum(answers) >= _ANSWER_WORDS * len(answers)
