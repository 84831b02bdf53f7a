import pytest

from workers.pasted.lines import line_of
from workers.pasted.noise_rules import Rule, find_date, noise_rule

NOISE = [
    (Rule.SHARE_LINE, ["Share on Facebook", "Facebook Twitter WhatsApp E-Mail", "Teilen", "Partager sur Twitter"]),
    (Rule.SHARE_LINE, ["Compartir en WhatsApp", "Condividi questo articolo", "Copy link"]),
    (Rule.PRINT_LINE, ["print-icon", "Print", "Drucken", "Imprimer", "Stampa"]),
    (Rule.COUNTER, ["0", "12", "1,204", "4.2K", "37 comments", "18 Kommentare", "5 min read", "Comments (12)"]),
    (Rule.TIMESTAMP, ["12 May 2025", "Published: 3. März 2024, 10:15 Uhr", "Updated 14:05 GMT", "3 hours ago"]),
    (Rule.TIMESTAMP, ["Le 4 mai 2023 à 18h30", "Publicado el 7 de junio de 2024", "2025-02-11", "vor 3 Stunden"]),
    (Rule.CAPTION, ["File image: the old harbour", "Photo: Jane Roe", "Bild: Archiv", "Imagen: El puerto"]),
    (
        Rule.PHOTO_CREDIT,
        ["© Jane Roe", "Foto: dpa", "Jane Roe/Getty Images", "The pier at dawn (AP)", "Quelle: Stadtarchiv"],
    ),
    (Rule.LOADING, ["Loading...", "Loading comments…", "Wird geladen", "Chargement…", "Cargando", "Laden..."]),
    (Rule.ADVERT, ["Advertisement", "Anzeige", "Publicité", "Publicidad", "Story continues below advertisement"]),
    (Rule.RELATED, ["Read more", "Related articles", "Read also: The boats of winter", "Lesen Sie auch: Die Fähre"]),
    (
        Rule.RELATED,
        ["À lire aussi : le port", "Te puede interesar", "Leggi anche: il porto", "Lees ook", "Leia também"],
    ),
    (Rule.PROMPT, ["Subscribe to our newsletter", "Sign up for free", "Click here for more", "Follow us for more"]),
    (Rule.PROMPT, ["Jetzt abonnieren", "Abonnez-vous", "Suscríbete", "Iscriviti alla newsletter", "Assine já"]),
    (Rule.COMMENTS, ["Leave a comment", "Kommentare", "Laisser un commentaire", "Reacties"]),
    (Rule.COOKIES, ["We use cookies to improve this site", "Cookie settings", "Wir verwenden Cookies"]),
    (Rule.COPYRIGHT, ["Copyright 2024 The Harbour Post", "The Harbour Post. All rights reserved."]),
    (Rule.BIO, ["About the author", "Über die Autorin", "Sobre el autor"]),
    (
        Rule.BIO,
        ["(Reporting by Jane Roe and John Public; Editing by Ann Other)", "Writing by Jane Roe. Editing by A. B."],
    ),
    (Rule.END_MARK, ["END", "- ENDE -", "-30-", "(FIN)"]),
    (
        Rule.CAPTION,
        ["[Image : le port]", "The pier at dawn. Photograph: Jane Roe/The Post", "Пристань утром. Фото: Анна Каренина"],
    ),
    (
        Rule.PROMPT,
        ["Se questo articolo ti è piaciuto, condividilo!", "If you enjoyed this story, share it with a friend."],
    ),
    (
        Rule.PROMPT,
        ["Vous avez aimé cette lettre ? Transférez-la à un ami.", "Hat Ihnen der Text gefallen? Teilen Sie ihn!"],
    ),
    (Rule.RELATED, ["Читайте также", "По теме"]),
    (Rule.SHARE_LINE, ["Поделиться", "Скопировать ссылку"]),
    (Rule.TIMESTAMP, ["12 марта 2025", "Опубликовано 12 марта 2025 в 10:15"]),
    (
        Rule.COMMENTS,
        ["Оставить комментарий", "Комментарии", "Комментировать", "Dodaj swój komentarz", "Skomentuj artykuł"],
    ),
    (
        Rule.COMMENTS,
        ["Σχόλια αναγνωστών (3)", "Το σχόλιό σας", "网友跟帖", "我来说两句", "댓글", "Yorumlar", "Додати коментар"],
    ),
    (Rule.AVATAR, ["Jane Roe's Photo", "Profile picture of Jane Roe", "Avatar", "Photo of Jane Roe"]),
    (Rule.TRUNCATION_MARK, ["Authored...", "Read on …"]),
    (Rule.BREADCRUMB, ["Home › News › Harbour", "Startseite > Lokales"]),
    (Rule.LINK, ["https://harbour.example/ferry", "@janeroe", "jane@harbour.example", "#ferry #islands"]),
    (Rule.ORNAMENT, ["* * *", "—", "😀", "|"]),
]

INNOCENT = [
    "What the council decided",
    "Das sagt die Reederei",
    "The photo shows a boat that sank in 1912 off the northern cape.",
    "The end of the pier fell into the sea.",
    "“He shared it. Photographs were not allowed,” she said.",
    "If you enjoyed this summer, wait for the next one.",
    "Three men were arrested, a police officer told Reuters.",
    "The print run was small.",
    "He shared his bread with the dog.",
    "May 2024 was the warmest since records began.",
    "Twelve people live there.",
    "5/1/2024 $20",
    "(415) 555-0100",
    "“Well… I am not sure,” she said.",
    "Loading the ferry takes an hour in bad weather.",
    "市議会は月曜日に計画を可決した。",
]


@pytest.mark.parametrize(("rule", "line"), [(rule, line) for rule, lines in NOISE for line in lines])
def test_noise_is_named(rule: Rule, line: str) -> None:
    assert noise_rule(line_of(line)) is rule


@pytest.mark.parametrize("line", INNOCENT)
def test_headings_and_sentences_are_not_noise(line: str) -> None:
    assert noise_rule(line_of(line)) is None


def test_paragraphs_are_never_noise() -> None:
    assert noise_rule(line_of("Subscribe to our newsletter. " * 12)) is None


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Jane Roe, May 4, 2025, 10:30 am", "May 4, 2025"),
        ("Stand: 3. März 2024", "3. März 2024"),
        ("el 7 de junio de 2024", "7 de junio de 2024"),
        ("2024年5月3日 公開", "2024年5月3日"),
        ("11.02.2025", "11.02.2025"),
        ("In 2025 it rained", None),
    ],
)
def test_dates_are_found_as_written(line: str, date: str | None) -> None:
    assert find_date(line) == date
