import tempfile
from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped] # no py.typed

from workers.normalise.language_model import load_language_model

TEXTS = [
    "The last ferry left the old harbour nine years ago, and few believed that one would ever come back to it.",
    "Die letzte Fähre verließ den alten Hafen vor neun Jahren, und kaum jemand glaubte an ihre Rückkehr.",
    "Последний паром ушёл из старой гавани девять лет назад.",
    "最后一班渡轮九年前离开了旧港口。",
    "CAPITALS",
    "\ud800",
    "",
]


@pytest.fixture(scope="module")
def whole() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@pytest.fixture(scope="module")
def mapped() -> LanguageIdentifier:
    return load_language_model()


@pytest.mark.parametrize("text", TEXTS)
def test_says_what_py3langid_says(mapped: LanguageIdentifier, whole: LanguageIdentifier, text: str) -> None:
    assert mapped.rank(text) == whole.rank(text)


def test_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = load_language_model()
    assert list(tmp_path.iterdir()) == []
    assert model.classify(TEXTS[1])[0] == "de"
