"""Patterns of lines of boilerplate, in eight languages, regardless of case.

Each pattern is applied to lines of a few words only, so `.*` cannot run far.
"""

import re

from workers.page.words import MONTHS, word_set


def _either(alternatives: str) -> str:
    """Returns a pattern that matches one of `alternatives`: each line has one, or several separated by `|`."""
    return "(?:" + "|".join(line.strip() for line in alternatives.strip().splitlines()) + ")"


def whole(*patterns: str) -> re.Pattern[str]:
    """Returns the patterns compiled as alternatives for the whole of a line."""
    return re.compile(rf"(?:{'|'.join(patterns)})\s*\Z", re.IGNORECASE)


def opening(*patterns: str) -> re.Pattern[str]:
    """Returns the patterns compiled as alternatives for the start of a line."""
    return re.compile("|".join(patterns), re.IGNORECASE)


# In the form that dates have, in languages whose months the reader of pages does not know by name.
_MORE_MONTHS = word_set(
    """
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
    ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου
    ιαν φεβ μαρ απρ μαϊ ιουν ιουλ αυγ σεπ οκτ νοε δεκ
    ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
    ledna února března dubna května června července srpna září října listopadu prosince
    січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
    ianuarie februarie martie aprilie iunie iulie septembrie octombrie noiembrie decembrie
    januari februari maret mei juni juli agustus oktober desember
    tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta
    marraskuuta joulukuuta
    يناير فبراير مارس أبريل إبريل مايو يونيو يونيه يوليو يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
    בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר
    जनवरी फ़रवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर सितम्बर अक्टूबर नवंबर नवम्बर दिसंबर दिसम्बर
    มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม"""
)
_MONTH = "(?:" + "|".join(sorted(MONTHS | _MORE_MONTHS, key=lambda month: (-len(month), month))) + r")(?!\w)"
DATE = _either(rf"""
    \d{{1,2}}(?:st|nd|rd|th|er|º)?\.?\s+(?:de\s+)?{_MONTH}\.?,?\s+(?:de\s+|del\s+)?\d{{4}}
    {_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}
    \d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d\d\b)
    \d{{4}}年\d{{1,2}}月\d{{1,2}}日|\d{{4}}년\s?\d{{1,2}}월\s?\d{{1,2}}일
""")
_SPAN = r"(?:min(?:ute)?[sn]?|hours?|days?|weeks?|months?|years?|heures?|jours?|horas?|días|ore|giorni|uur|dagen|dias)"
TIME = _either(rf"""
    \b\d{{1,2}}[:h.]\d\d(?::\d\d)?\s?(?:[ap]\.?m\b\.?|uhr\b|hrs?\b|h\b)?|\b\d{{1,2}}\s?(?:[ap]\.?m\b\.?|uhr\b)
    \b\d+\s?{_SPAN}\b(?=\s*(?:ago|read|lesezeit|de lect|di lett|atrás|fa\b|geleden|leestijd|de leitura))
    (?:vor|il y a|hace|há) \d+ \w+
""")

COUNTED = _either(r"""
    comments?|shares?|likes?|views?(?: today)?|reads?|votes?|replies|reply|claps?|followers?|retweets?|upvotes?|points?
    kommentare?|aufrufe|antworten|commentaires?|vues?|partages?|comentarios?|visitas|me gusta|commenti|commento
    condivisioni|reacties?|reactions?|comentários?|visualizações|コメント|件|words
    комментари(?:й|я|ев|и)|просмотр(?:а|ов|ы)?
    min(?:ute)?s?(?: read| de lectura| de lecture| di lettura)?|minuten lesezeit|min\.? lesezeit|minutos de leitura
""")

PAGE_NUMBER = _either(r"""
    (?:[^.!?]{0,60}[\s|–—-])?(?:page|seite|página|pagina|pág\.|стр(?:аница|\.)|strona|str\.|σελ(?:ίδα|\.)|sida|side|sayfa)
    第
""")
PAGE_NUMBER = rf"{PAGE_NUMBER}\s?\d{{1,4}}(?:\s?(?:of|von|de|sur|di|из|z|od|van|av|/)\s?\d{{1,4}})?(?:\s?[页頁])?"
# What Chinese, Russian, Polish and Greek pages have beside an article: sharing, the size of letters, who edited it.
SHARE_LABEL = _either(r"""
    (?:分享|转发|轉發|推荐)(?:到|至|给)?\s?[:：].*|字[号號体體]\s?[:：].*|[（(]?(?:责任编辑|責任編輯|编辑|編輯|责编)\s?[:：].{1,12}[）)]?
    (?:поделиться|рассказать друзьям)\s?[:：].*|udostępnij\s?[:：].*|podziel się\s?[:：].*
    μοιραστείτε(?: το)?\s?[:：]?.*
""")
_WHAT_LOADS = r"(?:\s+(?:comments|more|content|kommentare|video|player|ad))?"
_LOADS = _either(r"""
    loading|please wait|wird geladen|lädt|lade|laden|bezig met laden|chargement(?: en cours)?|cargando
    caricamento(?: in corso)?|carregando|a carregar|読み込み中|загрузка
""")
LOADING = rf"{_LOADS}{_WHAT_LOADS}[\s.…]*"
ADVERT = _either(r"""
    advertisements?|advertising|(?:sponsored|promoted)(?: content)?|ads?|advertorial|anzeige|werbung|publicité|annonce
    publicidad|anuncio|pubblicità|advertentie|publicidade|reklama?|reklame|реклама|広告|skip (?:ad|advertisement)
    story continues below.*|article continues (?:below|after).*|continue reading below.*|scroll to continue.*
""")
PRINT = (
    r"print(?:er)?|drucken|imprimer|imprimir|stampa|afdrukken"
    r"|(?:print|druck)(?:[ -](?:icon|page|version|friendly|ansicht))+"
)
BREADCRUMB = r"(?:home ?(?:page)?|startseite|accueil|inicio|start|início)\s*[›»>/|→].*"

_PICTURE = _either(r"""
    images?|photos?|photographs?|pictures?|pic|video|graphic|illustration|写真|画像
    fotos?|bild(?:er)?|grafik|symbolbild|archiv(?:bild|foto)|titelbild|crédits?(?: photos?)?|légende
    imagen|imágenes|fotografía|immagine|afbeelding|beeld|imagem|fotografia|фото(?:графия)?|иллюстрация|изображение
""")
_STOCK = "(?:file|stock|illustrative|illustration|archive|archival|handout|courtesy|cover|lead|featured)"
_FROM = "(?:credits?|source|courtesy|via|by|von|de|di|door|par|por|©)"
CAPTION = rf"[\[(]?(?:{_STOCK}\s+)?{_PICTURE}(?:\s+{_FROM}.*|\s*[:：©(/|].*)"
CREDITED = rf"[.!?…)\]»”\"’]\s*[(\[]?(?:{_PICTURE}(?:\s+credits?)?|credits?)\s?(?:[:：©]|/\s?[^\W\d_]).{{2,80}}\Z"
CREDIT = _either(r"""
    ©|\((?:c|photo|foto|image|bild|ap|afp|credit|pic|quelle|source)\b|(?:bild)?quelle\s*:|source\s*:|fuente\s*:
    (?:photo|image|picture|bild|foto)?\s*credits?\s*(?:[:：]|to\b|by\b)|fonte\s*:|bron\s*:
""")
_AGENCY = _either(r"""
    afp|ap|reuters|shutterstock|istock(?:photo)?|unsplash|pexels|pixabay|alamy|imago|picture[ -]alliance
    wikimedia(?: commons)?|flickr|epa(?:-efe)?|dpa|adobe stock|depositphotos|bloomberg|ansa|anp|efe|pa
""")
AGENCY = rf"(?:getty images|(?:[/|(©:–—-]|\b(?:via|by|photo|foto|images?))\s*{_AGENCY})[\s)\]/]*\Z"

_RESERVED = _either(r"""
    all rights reserved|alle rechte vorbehalten|tous droits réservés|todos los derechos reservados
    tutti i diritti riservati|alle rechten voorbehouden|todos os direitos reservados|все права защищены
""")
COPYRIGHT = rf".{{0,80}}{_RESERVED}\W*|(?:©|\(c\))\s*\d{{4}}.*|copyright\s.*"
COOKIES = _either(r"""
    (?:we|this (?:web)?site|our (?:web)?site|our partners)\b.{0,60}\bcookies|cookies? (?:policy|settings|consent|notice)
    .{0,40}verwende[nt] (?:wir )?cookies|cookie-einstellungen|.{0,40}utilis(?:e|ons) (?:des |les )?cookies
    .{0,40}(?:utiliza(?:mos)?|usamos) cookies|.{0,40}utilizz(?:a|iamo) (?:i )?cookie|.{0,40}gebruiken cookies
    accept all|alle akzeptieren|tout accepter|aceptar todo|accetta tutt|alles accepteren|aceitar tudo
""")

PROMPT = _either(r"""
    subscribe|sign[ -]?(?:up|in|out)\b|log[ -]?(?:in|out)\b|register\b|join (?:us|our|the|now|for free)\b|donate\b
    become a (?:member|subscriber|patron)|get (?:the|our|your|unlimited|access|notified|started|updates)\b
    follow (?:us|me|@|.{1,40} on (?:twitter|facebook|x|instagram|google news|linkedin)\b)|support (?:us|our)\b
    download (?:the|our|now|app|pdf)\b|click (?:here|to|on)\b|tap (?:here|to)\b|already (?:a|have)\b|newsletters?\b
    enter your e-?mail|your e-?mail|e-?mail address|forgot (?:your )?password|create (?:an |your )?(?:free )?account
    try (?:it )?(?:for )?free|start your free|buy now|add to cart|contact us|book (?:a|now)\b|request (?:a|info)\b
    skip to|jump to|back to top|scroll\b|to view this|please (?:enable|log|sign|subscribe|read our)|enable javascript
    play video|watch (?:now|live)|listen (?:now|to this)|listen\W*$|stay (?:in touch|updated|informed|connected)
    send us|have a (?:story|tip)|got a (?:story|tip)|this article is for subscribers|report (?:this|an error|ad)\b
    suggest a correction|view (?:all|comments|gallery|more|in gallery|full|image|profile)\b
    abonnieren|jetzt (?:abonnieren|registrieren|anmelden|testen|lesen|kaufen|teilen)|anmelden|registrieren|einloggen
    melden sie sich|bleiben sie|folgen sie|hier klicken|zum newsletter|zur startseite|zum inhalt|nach oben
    artikel anhören|vorlesen|kostenlos|unser newsletter
    abonnez|s['’]abonner|s['’]inscrire|inscrivez|se connecter|connectez|recevez|recevoir|suivez|téléchargez|cliquez
    réagir|réservé aux abonnés|je m['’]abonne
    suscr[ií]b|reg[ií]strate|iniciar? sesión|síguenos|sigue\b|descarga|haz clic|recibe\b|hazte\b
    iscriviti|abbonati|registrati|accedi\b|seguici|scarica|clicca|ricevi\b
    abonneer|meld je|aanmelden|inloggen|volg ons|download de|ontvang|klik hier|schrijf je in
    assine|inscreva|cadastre|entrar\b|siga\b|baixe\b|clique\b|receba
    подпи(?:шитесь|саться|сывайтесь)|войти\W*$|зарегистрируйтесь|следите за нами|читайте нас
    (?:view|read|open|see) (?:this|the|our)?\s?(?:e-?mail|newsletter|message|web version).{0,20}\bbrowser|unsubscribe\b
    (?:view|read) (?:it |this )?(?:in (?:your|a|the) (?:web )?browser|online)\b|you(?:['’]re| are) receiving this
    (?:manage|update|change) (?:your |my )?(?:e-?mail )?(?:preferences|subscriptions?)\b
    newsletter abbestellen|(?:im|in ihrem|in deinem) browser (?:an(?:sehen|zeigen)|öffnen)|se désinscrire|se désabonner
    (?:voir|lire) .{0,30}\bdans (?:le|votre|un) navigateur|darse de baja|cancelar (?:la suscripción|a inscrição)
    ver (?:este (?:correo|mensaje) )?en (?:el|su|tu) navegador|disiscriviti|annulla l['’]iscrizione
    (?:visualizza|leggi) .{0,30}\bnel browser|uitschrijven|bekijk .{0,30}\b(?:in je|in uw|online|browser)|отписаться
""")

# Requests to pass the article on: “If you liked this article, …”
_LIKED = _either(r"""
    (?:if you |did you |you )(?:liked?|enjoy(?:ed)?|loved?|found) (?:this|our|the|what)
    (?:hat (?:ihnen|dir|euch)|wenn (?:ihnen|dir|euch)) (?:der|die|das|dieser?|dieses|unser) .{0,40}\bgef(?:allen|ällt)
    (?:si )?vous avez aimé (?:cet?|cette|notre)|(?:si )?(?:te|le|les) ha gustado (?:este|esta|el|la|nuestr[oa])
    (?:se )?(?:questo|quest['’]|l['’]|la |il ).{0,30}\b(?:ti|vi) è piaciut[oa]
    (?:se )?(?:ti|vi) è piaciut[oa] (?:questo|quest['’]|l['’])
    vond (?:je|u) dit .{0,30}|gostou (?:deste|desta|do|da)
    (?:если )?(?:вам )?понравил(?:ась|ся) (?:эта |этот )?(?:статья|материал|текст)
""")
_PASS_ON = _either(r"""
    share|tell|forward|subscribe|like|follow|support|donate|comment|teilen|teile|weiter|empfehlen|abonn
    partage|transfér|faites|compart|suscr|condivid|inoltra|iscriv|deel|stuur|compartilh|partilh|поделит|подпи
""")
PASS_ON = rf"{_LIKED}.{{0,60}}\b{_PASS_ON}"

_STORIES = _either(r"""
    read|reading|stories|articles?|posts?|links?|topics?|content|news|coverage|tags|products|searches|questions|videos?
    words?
""")
_MORE_OF = _either(r"""
    from|in|on|news|stories|articles?|posts?|videos?|popular|read|viewed|recent|commented|shared|headlines|topics|about
    by|like this
""")
RELATED = _either(rf"""
    (?:click here to |please )?(?:also )?(?:read|see|watch|listen|learn|find out|check|discover)\s+(?:also|more|next)\b
    (?:read|see|watch|check|discover)\s+(?:now|our|related|the full)\b
    (?:also|must|further|recommended|suggested|related) {_STORIES}\b|(?:recommended (?:for you|by|from))\b
    (?:related|recommended|don['’]t miss|in this (?:article|story)|trending(?: now)?)\W*$
    (?:more|latest|new|other|top|most|popular|trending|recent|featured) {_MORE_OF}\b.{{0,50}}$
    you (?:may|might) (?:also )?(?:like|enjoy|be interested)|what to read next|around the web|from the web|see also\b
    (?:up next|next up|(?:read )?next|(?:next|previous) (?:article|post|story))\W*$|(?:next|previous) (?:article|post)\b
    editor['’]s picks?|in case you missed
    lesen sie (?:auch|mehr|hier|dazu|weiter)|mehr (?:zum thema|zu|aus|von|dazu|lesen|erfahren|artikel|nachrichten)\b
    auch interessant|das könnte|weiterlesen|weitere (?:artikel|themen|nachrichten|beiträge|informationen)
    meistgelesen|ähnliche|verwandte|passend dazu|zum thema\W*$|empfohlen|siehe auch|themen\W*$
    (?:à )?lire (?:aussi|également|la suite)|à lire|voir (?:aussi|plus|également)|sur le même (?:sujet|thème)
    en savoir plus|articles? (?:liés?|similaires|recommandés)|les plus lus|à voir aussi|vous aimerez
    plus d['’](?:articles|infos|actualités)|pour aller plus loin
    lea? también|leer (?:más|también)|lee (?:también|más)|te puede interesar|ver (?:más|también)
    más (?:noticias|información|leído|sobre|en)\b|noticias relacionadas|artículos? relacionados?
    relacionad[oa]s?\W*$|lo más|temas? relacionados?
    legg(?:i|ere) (?:anche|di più|tutto)|vedi anche|potrebbe interessarti|articoli correlati|ti potrebbe
    altri articoli|più letti|guarda anche|per approfondire
    lees (?:ook|meer|verder)|meer (?:over|nieuws|lezen|uit)\b|bekijk ook|zie ook|gerelateerd|meest gelezen|aanbevolen
    le(?:ia|r) (?:também|mais)|veja (?:também|mais)|saiba mais|notícias relacionadas|mais (?:lidas|sobre|notícias)
    artigos relacionados|читайте (?:также|далее)|читать (?:также|далее|ещё)|смотрите также|по теме\W*$
    другие (?:новости|статьи|материалы)|самое читаемое|похожие (?:статьи|материалы)
    関連記事|おすすめ|あわせて読みたい|続きを読む|相关|推荐阅读|관련
""")

_COMMENTS = _either(r"""
    (?:leave|post|write|add) (?:a|your) (?:comment|reply)|(?:view |show |see |read |hide |load |all )?(?:\d+ )?comments?
    discussion|join the (?:discussion|conversation)|reply|responses?|what do you think\?
    kommentare?|kommentar (?:schreiben|verfassen)|diskutieren.*|antworten|commentaires?|laisser un commentaire
    réagissez.*|comentarios?|deja (?:un|tu) comentario|ver comentarios.*|commenti|lascia un commento|reacties?
    reageer.*|comentários?|deixe (?:um|seu) comentário|コメント|комментарии|(?:оставить|написать) комментарий|ответить
    комментировать|добавить комментарий|ваш комментарий|правила комментирования|обсудить.{0,20}|комментари(?:й|я|ев)
    komentarze|komentarzy|(?:dodaj|napisz) (?:swój )?komentarz|skomentuj.{0,20}|odpowiedz|zgłoś (?:nadużycie|naruszenie)
    σχόλια(?: αναγνωστών)?|σχολιάστε.{0,20}|προσθήκη σχολίου|(?:γράψτε|το) σχόλι[οό] σας|απάντηση
    (?:网友|最新|查看|发表|我要|热门)?评论|网友跟帖|我来说两句|댓글|yorumlar|yorum (?:yap|yaz)|коментарі|додати коментар
""")
COMMENTS = rf"{_COMMENTS}\s*[:：]?(?:\s*\(?\d+\)?)?"

BIO = _either(r"""
    about (?:the )?(?:authors?|writer)|(?:written|reported|edited|posted) by\W*$|über (?:den autor|die autorin)
    zur person\W*$|à propos de l['’]auteur|sobre (?:el|la|los) autor(?:a|es)?|sull['’]autore|over de auteur
    sobre o autor|об авторе
""")
_WRITER = (
    "(?:reporter|editor|journalist|writer|correspondent|columnist|contributor|author|blogger|freelancer?|producer)"
)
BIO_SENTENCE = _either(rf"""
    .{{3,60}}\b(?:is|was) (?:a|an|the|our) .{{0,40}}\b{_WRITER}\b|.{{0,60}}\breporting by\b
    follow (?:him|her|them) (?:on\b|@)|(?:he|she|they) (?:can be reached|tweets|covers|writes|lives)\b
    \(?(?:reporting|writing|editing|additional reporting) by\b
""")

_DESK_WORK = (
    "(?:(?:additional |contributing )?(?:reporting|writing|editing)|compiled|translated|written|edited|reported)"
)
DESK_CREDIT = rf"\({_DESK_WORK} by .{{3,}}\)|{_DESK_WORK} by .{{3,80}}[;.]\s*{_DESK_WORK} by .{{3,}}"
END_MARK = r"\W*(?:END|ENDS|ENDE|FIN|FINE|FINIS|КОНЕЦ)\W*\Z|[-–—#]+ ?30 ?[-–—#]+\Z"

_SMALL_PICTURE = "(?:avatar|headshot|profile (?:photo|picture|image)|author (?:image|photo))"
AVATAR = _either(rf"""
    .{{1,60}}['’]s? (?:photo|picture|{_SMALL_PICTURE})
    (?:photo|picture|portrait|{_SMALL_PICTURE}) (?:of|for) .{{1,60}}|{_SMALL_PICTURE}(?: .{{1,60}})?
    (?:photo de|foto (?:de|di|van|von)|porträt von|bild von|portrait de) .{{1,60}}
    (?:profil|autoren)(?:bild|foto)(?: von)? .{{1,60}}
""")

_DOTS = _either(r"""
    \.\.\.|…|\[\s?(?:\.\.\.|…)\s?\]|\(\s?(?:\.\.\.|…)\s?\)
""")
TRUNCATED = rf"(?:[\w'’-]+(?: [\w'’-]+){{0,2}} ?)?{_DOTS}|\[?\+?\d+ (?:more )?(?:chars|characters)\]?"
