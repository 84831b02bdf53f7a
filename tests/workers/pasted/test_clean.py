"""Text that is clean already: nothing of it may be lost."""

from itertools import permutations

import pytest

from workers.pasted.text_reader import read_text

SENTENCES = {
    "en": (
        "The ferry to the outer islands will sail twice a day from May.",
        "Islanders had asked for a second crossing for many years.",
        "The council promised the money for the boat last autumn.",
        "The fare stays as it is until the end of the year.",
    ),
    "de": (
        "Die Fähre zu den äußeren Inseln fährt ab Mai zweimal am Tag.",
        "Die Bewohner hatten jahrelang um eine zweite Überfahrt gebeten.",
        "Der Rat sagte das Geld für das Schiff im vergangenen Herbst zu.",
        "Der Fahrpreis bleibt bis zum Ende des Jahres, wie er ist.",
    ),
    "tr": (
        "Dış adalara giden feribot mayıs ayından itibaren günde iki kez sefer yapacak.",
        "Adalılar yıllardır ikinci bir sefer istiyordu.",
        "Belediye meclisi geçen sonbaharda tekne için para sözü verdi.",
        "Bilet ücreti yıl sonuna kadar aynı kalacak.",
    ),
    "el": (
        "Το πλοίο για τα έξω νησιά θα ταξιδεύει δύο φορές την ημέρα από τον Μάιο.",
        "Οι νησιώτες ζητούσαν χρόνια ένα δεύτερο δρομολόγιο.",
        "Το συμβούλιο υποσχέθηκε τα χρήματα για το πλοίο το περασμένο φθινόπωρο.",
        "Το εισιτήριο μένει όπως είναι ως το τέλος του χρόνου.",
    ),
    "ru": (
        "Паром к дальним островам будет ходить дважды в день с первого мая.",
        "Жители островов много лет просили о втором рейсе.",
        "Совет обещал деньги на судно прошлой осенью.",
        "Плата за проезд останется прежней до конца года.",
    ),
    "zh": (
        "从五月起，开往外岛的渡轮每天将航行两次。",
        "岛上居民多年来一直要求增加第二班渡轮。",
        "去年秋天，市议会答应为这艘船拨款。",
        "票价在今年年底之前保持不变，港务局星期一表示。",
    ),
    "ja": (
        "外島へのフェリーは五月から一日に二便運航されることになった。",
        "島の住民は長年にわたって二便目を求めてきたという。",
        "市議会は昨年の秋に船の費用を出すと約束していた。",
        "運賃は今年の終わりまで変わらないと港湾事務所は述べた。",
    ),
    "ko": (
        "바깥 섬으로 가는 여객선이 오월부터 하루에 두 번 운항한다.",
        "섬 주민들은 여러 해 동안 두 번째 배편을 요구해 왔다.",
        "시의회는 지난가을 배를 살 돈을 약속했다.",
        "요금은 올해 말까지 그대로 유지된다고 항만 사무소가 밝혔다.",
    ),
    "ar": (
        "ستبحر العبارة إلى الجزر الخارجية مرتين في اليوم ابتداء من شهر مايو.",
        "طالب سكان الجزر برحلة ثانية منذ سنوات طويلة.",
        "وعد المجلس بتوفير المال للسفينة في الخريف الماضي.",
        "تبقى الأجرة كما هي حتى نهاية العام.",
    ),
    "he": (
        "המעבורת לאיים החיצוניים תפליג פעמיים ביום החל מחודש מאי.",
        "תושבי האיים ביקשו הפלגה שנייה במשך שנים רבות.",
        "המועצה הבטיחה את הכסף לספינה בסתיו שעבר.",
        "מחיר הנסיעה יישאר כפי שהוא עד סוף השנה.",
    ),
    "hi": (
        "बाहरी द्वीपों की नाव मई से दिन में दो बार चलेगी।",
        "द्वीप के लोग कई वर्षों से दूसरी नाव की माँग कर रहे थे।",
        "परिषद ने पिछले पतझड़ में नाव के लिए धन देने का वादा किया था।",
        "किराया साल के अंत तक वही रहेगा।",
    ),
    "th": (
        "เรือข้ามฟากไปยังเกาะรอบนอกจะแล่นวันละสองเที่ยวตั้งแต่เดือนพฤษภาคม",
        "ชาวเกาะขอเที่ยวเรือที่สองมาหลายปีแล้ว",
        "สภาเมืองสัญญาว่าจะให้เงินซื้อเรือเมื่อฤดูใบไม้ร่วงปีที่แล้ว",
        "ค่าโดยสารจะยังคงเท่าเดิมจนถึงสิ้นปี",
    ),
}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("pieces", [1, 4, 12, 24], ids=lambda pieces: f"{pieces} paragraphs")
def test_a_clean_article_comes_out_whole(language: str, pieces: int) -> None:
    orders = [" ".join(order) for order in permutations(SENTENCES[language])][:pieces]
    text = "\n\n".join(orders)
    draft = read_text(text)
    assert draft.text == text
    assert draft.removed == ()


@pytest.mark.parametrize(
    "text",
    [
        (
            "Shall I compare the harbour to a day in May\nor to the boats that never came this way\n\n"
            "The gulls know more than any captain will\nand sleep upon the water and are still"
        ),
        (
            "ANNA: Did the boat come in today?\n\nBEN: It did, and half empty.\n\nANNA: And the mail?\n\n"
            "BEN: Two letters, both of them for you."
        ),
        "Island | Boats | People\nNorth | 2 | 310\nSouth | 1 | 95\nWest | 4 | 1200",
        "def sail(boat):\n    return boat.leave(harbour)",
        "Buy rope, paint and two lamps.\nCall Jane about the mooring.\nPay the harbour office by Friday.",
    ],
    ids=["poem", "transcript", "table", "code", "note"],
)
def test_poems_transcripts_tables_and_notes_keep_every_word(text: str) -> None:
    assert read_text(text).text.split() == text.split()


def test_a_paragraph_that_ends_with_a_photographer_stays_in_a_clean_text() -> None:
    named = (
        "The council showed the new boat to the islanders at the pier on Sunday, and many of them came to see it sail "
        "(Photo: AFP)"
    )
    assert named in read_text("\n\n".join((*SENTENCES["en"], named))).text
