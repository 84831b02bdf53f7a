"""By-lines that say what the author is rather than `by`: `Jane Roe, transport correspondent`."""

import re

_NOUNS = r"""
    correspondent|reporter|editor|writer|columnist|journalist|critic
    korrespondent(?:in)?|redakteur(?:in)?|reporterin|journalistin|kolumnist(?:in)?
    correspondante?|journaliste|rédact(?:eur|rice)|chroniqueu(?:r|se)
    corresponsal|redactora?|periodista|columnista|reportera?
    corrispondente|giornalista|inviat[oa]|redattore|redattrice|correspondente|jornalista|repórter|colunista
    verslaggever|verslaggeefster|redacteur|columniste|корреспондент(?:ка)?|обозреватель|журналист(?:ка)?
"""
_DESKS = r"""
    staff|senior|chief|deputy|assistant|associate|contributing|special|managing|foreign|national|international|local|world
    political|politics|transport|health|science|technology|tech|business|economics|economy|financial|finance|education
    environment|climate|energy|sports?|football|arts|culture|media|music|film|fashion|food|travel|religion|legal|crime
    security|defence|defense|diplomatic|home affairs|social affairs|consumer|industry|property|data|investigations?|news
    features?|lifestyle|content|affiliate|junior|biotech|real estate|audience|digital|online
    opinion|europe|asia|africa|us|uk|white house|city|and|&
"""


def _either(rows: str) -> str:
    return "|".join(row.strip() for row in rows.strip().splitlines())


_ROLE = re.compile(
    rf"\s*(?:,|\||–|—|\s-)\s*[^,|]{{0,40}}?\b(?:{_either(_NOUNS)})\Z|\s(?:(?:{_either(_DESKS)})\s)*(?:{_either(_NOUNS)})\Z",
    re.IGNORECASE,
)
_MAX_CHARS = 90


def before_role(text: str) -> str | None:
    """Returns what stands before a role that ends the line, or None where none does."""
    if len(text) > _MAX_CHARS:
        return None
    match = _ROLE.search(text)
    return text[: match.start()] if match else None
