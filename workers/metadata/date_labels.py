"""Words around a date, and names of its element, that say whether it is of the publication or of a change."""

import re
from enum import StrEnum
from functools import lru_cache


class DateLabel(StrEnum):
    """What a date on a page is of."""

    PUBLISHED = "published"
    CHANGED = "changed"


# Beginnings of words. Class names join words, as in `lastUpdated`, so a word counts even inside another one.
_CHANGE = (
    r"(?:updat|modifi|\bedited|last (?:post|reply|activity)|latest (?:post|reply)|letzter beitrag|dernier message"
    r"|last changed|last reviewed|revis|amended|aktualis|geändert|überarbeitet|letzte änderung"
    r"|mise? à jour|màj|actualiz|actualis|aggiorna|bijgewerkt|gewijzigd|aangepast|laatste update|atualiz"
    r"|oppdatert|opdater|sist endret|senest ændret|uppdater|senast ändrad|päivitetty|muokattu|zaktualiz|aktualiz"
    r"|zmodyfik|zmienion|upraven|změněn|zmenen|frissít|frissül|módosít|ažurira|izmijenjen|posodob|uuendatud|atnaujin"
    r"|güncelle|diperbarui|pembaruan|dikemas ?kini|diubah|cập nhật|chỉnh sửa|sửa đổi"
    r"|обновлен|обновлён|обновлено|изменен|изменён|актуализ|редактиран|отредактир|оновлен|змінен|ажурирано"
    r"|ενημερώ|ενημέρωσ|τροποποι|επικαιροπο|تحديث|تعديل|به‌?روز ?رسانی|بروز ?رسانی|ویرایش|עודכן|עדכון"
    r"|更新|修改|修正|修订|修訂|改訂|수정|업데이트|갱신|อัปเดต|อัพเดต|อัพเดท|อัปเดท|แก้ไข|ปรับปรุง"
    r"|अपडेट|अद्यतन|संशोधित|হালনাগাদ|আপডেট|புதுப்பி)"
)
_PUBLICATION = re.compile(
    r"publish|publication|posted|created|first (?:seen|appeared)|issued|pubdate"
    r"|veröffentlicht|erstellt|erschienen|publi[éeèc]|paru|créé|escrito|publikov|pubblica|creato|geplaatst|gepubliceer"
    r"|publicer|publisert|julkaistu|opublik|zveřejn|zverejn|vydáno|közzétév|megjelen|objavlj|avaldatud|paskelbt"
    r"|yayın|eklenme|oluşturma|diterbitkan|dipublikasi|diterbit|đăng|xuất bản"
    r"|опублик|публик|создан|размещен|оприлюдн|објављ|δημοσ|αναρτ|نشر|منتشر|انتشار|פורסם|פרסום"
    r"|发布|發布|发表|發表|刊登|公開|掲載|投稿|配信|입력|등록|게시|작성|승인|เผยแพร่|ประกาศ|โพสต์|प्रकाशित|প্রকাশ|வெளியி",
    re.IGNORECASE,
)
_CHANGED = re.compile(_CHANGE, re.IGNORECASE)
_CHANGE_LABEL = re.compile(rf"\b{_CHANGE}", re.IGNORECASE)
# In pasted text and on Chinese pages these stand before the only date, which is that of the publication, too.
_EITHER = re.compile(r"\bstand:|更新", re.IGNORECASE)


@lru_cache(maxsize=1024)  # a page repeats the words around its dates, and the same ones are asked about several times
def label_in(words: str) -> DateLabel | None:
    """Returns what `words` around a date, or the class names of its element, say that it is of.

    Words for both, as in the class names `published updated`, mean the publication: the page has one date.
    """
    if _PUBLICATION.search(words):
        return DateLabel.PUBLISHED
    return DateLabel.CHANGED if _CHANGED.search(words) or _EITHER.search(words) else None


def may_be_either(words: str) -> bool:
    """Returns True if the label in `words` stands before a page's only date, too."""
    return _EITHER.search(words) is not None


def labels_change(label: str) -> bool:
    """Returns True if a word of `label`, the text before a date, begins with a word for a change.

    最后更新 ("last update") does not: Chinese pages put it before their only date.
    """
    return _CHANGE_LABEL.search(label) is not None
