"""Texts written for these tests, with the kinds of mess that a selection in a browser brings along."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    name: str
    pasted: str
    text: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    rules: tuple[str, ...] = ()


MESSY = (
    Sample(
        name="english news",
        pasted="""\
Home
News
Sport
Harbour council buys a second ferry for the outer islands
Jane Roe's Photo
by Jane Roe
4 May 2025, 10:30 am
Share on Facebook
Copy link

The harbour council has bought a second ferry for the outer islands, and it will sail from the first of June.

File image:\u00a0the old ferry

“We have waited for this for eleven years,” said a shopkeeper on the largest island, who crosses twice a week.

Advertisement

What it costs

The council pays four million for the boat, and the fares stay as they are:

  • Adults pay six a crossing.
  • Children sail for nothing.

Read also: The winter when no boat came

A third boat is not planned before the end of the decade, because the harbour has room for only two of them.

12 comments
Loading...
Related articles
Storm closes the mountain road
""",
        text="""\
The harbour council has bought a second ferry for the outer islands, and it will sail from the first of June.

“We have waited for this for eleven years,” said a shopkeeper on the largest island, who crosses twice a week.

What it costs

The council pays four million for the boat, and the fares stay as they are:

- Adults pay six a crossing.
- Children sail for nothing.

A third boat is not planned before the end of the decade, because the harbour has room for only two of them.""",
        title="Harbour council buys a second ferry for the outer islands",
        authors=("Jane Roe",),
        published="4 May 2025, 10:30 am",
        rules=(
            *("before_text",) * 3,
            *("title", "avatar", "byline", "timestamp", "share_line", "share_line", "caption", "advert", "related"),
            *("counter", "loading", "related", "related"),
        ),
    ),
    Sample(
        name="deutsch",
        pasted="""\
Startseite > Lokales
Stadtrat beschließt neue Brücke über den Mühlbach
Von Änne Aue und Jörg Öhm
Stand: 3. März 2024, 10:15 Uhr
Teilen
Drucken

Der Stadtrat hat am Montag beschlossen, für zwei Millionen Euro eine neue BrÃ¼cke über den Mühlbach zu bauen.

Foto: die alte Brücke

Die alte Brücke ist seit dem Hochwasser vor drei Jahren gesperrt, und der Umweg kostet die Pendler eine halbe Stunde.

Lesen Sie auch: Als das Wasser kam

Im Herbst sollen die Arbeiten beginnen, sagte die Bürgermeisterin nach der Sitzung im Rathaus.

Jetzt abonnieren
Kommentare
""",
        text="""\
Der Stadtrat hat am Montag beschlossen, für zwei Millionen Euro eine neue Brücke über den Mühlbach zu bauen.

Die alte Brücke ist seit dem Hochwasser vor drei Jahren gesperrt, und der Umweg kostet die Pendler eine halbe Stunde.

Im Herbst sollen die Arbeiten beginnen, sagte die Bürgermeisterin nach der Sitzung im Rathaus.""",
        title="Stadtrat beschließt neue Brücke über den Mühlbach",
        authors=("Änne Aue", "Jörg Öhm"),
        published="3. März 2024, 10:15 Uhr",
        rules=(
            *("breadcrumb", "title", "byline", "timestamp", "share_line", "print_line"),
            *("caption", "related", "prompt", "comments"),
        ),
    ),
    Sample(
        name="français, wrapped",
        pasted="""\
Le marché couvert de la vieille ville rouvre ses portes samedi
Par Hélène Dubois
Publié le 7 mai 2024 à 18h30

Après deux ans de travaux, le marché couvert de la vieille ville rouvre
ses portes samedi matin, et une trentaine de commerçants ont déjà retenu
leur place sous la nouvelle verrière. La mairie a dépensé trois millions
d'euros pour refaire le toit et les allées.

« On a eu peur de ne jamais revenir », raconte une poissonnière qui tient
son étal depuis quarante ans et qui a passé l'hiver sous une tente.

Abonnez-vous
À lire aussi : la place reste fermée
""",
        text="""\
Après deux ans de travaux, le marché couvert de la vieille ville rouvre ses portes samedi matin, et une trentaine de \
commerçants ont déjà retenu leur place sous la nouvelle verrière. La mairie a dépensé trois millions d'euros pour \
refaire le toit et les allées.

« On a eu peur de ne jamais revenir », raconte une poissonnière qui tient son étal depuis quarante ans et qui a passé \
l'hiver sous une tente.""",
        title="Le marché couvert de la vieille ville rouvre ses portes samedi",
        authors=("Hélène Dubois",),
        published="7 mai 2024 à 18h30",
        rules=("title", "byline", "timestamp", "prompt", "related"),
    ),
    Sample(
        name="español, quoted",
        pasted="""\
> Inicio
> Deportes
> Suscríbete
> El pueblo recupera su tren después de veinte años
> Por María del Carmen Núñez
>
> El tren vuelve al pueblo el próximo lunes, después de veinte años sin servicio, según anunció ayer la alcaldesa.
>
> Compartir en WhatsApp
>
> Habrá cuatro viajes al día, y el billete costará tres euros hasta el final del año para los vecinos del valle.
>
> Te puede interesar
> 3 comentarios
""",
        text="""\
El tren vuelve al pueblo el próximo lunes, después de veinte años sin servicio, según anunció ayer la alcaldesa.

Habrá cuatro viajes al día, y el billete costará tres euros hasta el final del año para los vecinos del valle.""",
        title="El pueblo recupera su tren después de veinte años",
        authors=("María del Carmen Núñez",),
        rules=("before_text", "before_text", "prompt", "title", "byline", "share_line", "related", "counter"),
    ),
    Sample(
        name="日本語",
        pasted="""\
ホーム
ニュース
旧市街の歩道を広げる計画を市議会が可決
文：山田太郎
2024年5月3日

市議会は月曜日、旧市街の歩道を広げる計画を賛成多数で可決した。工事は来年の春に始まる予定だ。

広告

市長は会議の後、「長い間待っていた住民のための計画だ」と記者団に語った。費用は二億円と見込まれている。

関連記事
""",
        text="""\
市議会は月曜日、旧市街の歩道を広げる計画を賛成多数で可決した。工事は来年の春に始まる予定だ。

市長は会議の後、「長い間待っていた住民のための計画だ」と記者団に語った。費用は二億円と見込まれている。""",
        title="旧市街の歩道を広げる計画を市議会が可決",
        authors=("山田太郎",),
        published="2024年5月3日",
        rules=("before_text", "before_text", "title", "byline", "timestamp", "advert", "related"),
    ),
    Sample(
        name="email, clean",
        pasted="""\
Dear all,

the workshop moves to the first floor, because the roof of the old hall leaks and will be mended until Thursday.

Please bring your own cups.

Jane
""",
        text="""\
Dear all,

the workshop moves to the first floor, because the roof of the old hall leaks and will be mended until Thursday.

Please bring your own cups.

Jane""",
    ),
)
