"""Words that pages put around articles, in eight languages and a few more. `noise_rules` and `region` use them."""

from workers.page.words import MONTHS, WEEKDAYS

# A share line has only these words, and at least one of the first list.
_SHARE = """
    share shares tweet retweet facebook twitter whatsapp linkedin pinterest reddit telegram flipboard messenger tumblr
    mastodon bluesky threads instagram youtube tiktok xing pocket weibo line vk viber email e-mail mail print printer
    bookmark copy copied sms embed rss
    drucken teilen weiterleiten merken kopieren partager imprimer envoyer enregistrer copier
    compartir imprimir guardar copiar condividi condividere stampa salva inviare
    delen afdrukken bewaar kopiëren compartilhar partilhar salvar paylaş dela del udskriv
    поделиться поделись вконтакте одноклассники телеграм телеграмм
    твиттер фейсбук ватсап вайбер скопировать печать распечатать
"""
_SHARE_FILLER = """
    x a an and the this that on in via with to by of or as for link links url icon icons button click here article story
    page post window new opens open friend friends send save it your us pdf version options more app mobile social media
    google news follow like pin comments comment add fb ig tw clipboard
    auf per mit und diesen artikel als den der die das von mehr öffnen sur par cet l le la les en por el este artículo
    su con e o il questo articolo met dit op di da no na plus в на с и статьёй статью ссылку ссылка отправить
"""
SHARE_CORE = frozenset(_SHARE.split())
SHARE = SHARE_CORE | frozenset(_SHARE_FILLER.split())

# Words that stand around a date or a time on a line of its own.
_TIMESTAMP = """
    published updated posted modified created first original last on at date time est edt pst pdt gmt utc et bst cet
    cest ist am pm a p m h ago yesterday today hour hours minute minutes min mins day days week weeks month months year
    years read reading by
    uhr stand veröffentlicht aktualisiert erstellt um zuletzt geändert vor stunde stunden tag tagen minuten lesezeit
    publié le mis mise à jour modifié il y heures jours lecture de
    publicado actualizado el las los hs hrs hace horas días lectura del
    pubblicato aggiornato alle ore fa lettura gepubliceerd bijgewerkt op om geplaatst laatst geleden leestijd
    atualizado às em há atrás leitura
    mo di mi do fr sa so segunda terça quarta quinta sexta feira
    опубликовано обновлено изменено дата в г года назад мск час часа часов минут минуты день дня дней чтение чтения
"""
TIMESTAMP = MONTHS | WEEKDAYS | frozenset(_TIMESTAMP.split())

# Phrases of sentences about the site, readers' accounts and the law: prose that is not part of an article.
BOILERPLATE = (
    "cookie", "privacy policy", "terms of ", "terms and ", "terms & ", "by continuing ", "by submitting ",
    "by clicking ", "by subscribing ", "by signing ", "by registering ", "newsletter", "subscribe", "subscription",
    "your inbox", "email address", "e-mail address", "sign up", " log in", "all rights reserved", "javascript",
    "your browser", "personalised", "personalized", "affiliate", "commission",
    "datenschutz", "abonn", "abmelden", "einwilligung", "ihre daten", "personenbezogen",
    "confidentialité", "vos données", "désinscrire",
    "política de privaci", "suscrib", "suscrip", "correo electrónico",
    "informativa sulla privacy", "iscriviti", "iscrizione", "privacybeleid", "nieuwsbrief",
    "подпишитесь", "подписаться", "рассылк", "персональных данных", "политика конфиденциальности", "куки",
    # rights to the site's texts
    "alle rechte vorbehalten", "nutzungsbedingungen", "tous droits réservés",
    "conditions d'utilisation", "todos los derechos", "condiciones de uso",
    "tutti i diritti riservati", "condizioni d'uso", "todos os direitos", "termos de uso",
    "alle rechten voorbehouden", "wszelkie prawa zastrzeżone", "prywatności", "plików cookie",
    "może być powielan", "všechna práva vyhrazena", "tüm hakları saklıdır", "kullanım koşulları",
    "все права защищены", "все права на ", "перепечатк", "при цитировании",
    "использовании материалов", "использование материалов", "согласия правообладателя",
    "о регистрации сми", "не несет ответственности за", "не несёт ответственности за",
    "усі права захищен", "всі права захищен", "передрук", "πνευματικά δικαιώματα",
    "πνευματικής ιδιοκτησίας", "όροι χρήσης", "όρους χρήσης", "αναδημοσίευση", "版权所有", "未经授权", "未经书面",
    "转载请", "不代表本", "免责声明", "無断転載", "利用規約", "무단전재", "무단 전재", "재배포 금지",
    "جميع الحقوق محفوظة",
    # rules for readers' comments
    "your comment", "comments are moderated", "leserkommentare", "ihr kommentar", "votre commentaire",
    "tu comentario", "il tuo commento", "seu comentário", "twój komentarz", "dodasz komentarz",
    "zasadami komentowania", "za treść komentarzy", "yorumunuz", "ваш комментарий",
    "свой комментарий", "в комментариях запрещ", "комментирования", "нашего сайта", "на нашем сайте",
    "администрация сайта", "мнение редакции", "ненормативн", "залишити коментар", "τα σχόλια",
    "σχόλιό σας", "网友评论", "文明上网", "댓글", "コメントを",
)  # fmt: skip
