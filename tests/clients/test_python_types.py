"""The generated types of the Python client."""

from pathlib import Path
from typing import get_type_hints

import pytest
from copydesk_client import events, schemas

from contract.events import SHORT_TYPES, WEBHOOK_TEST
from tests.clients.python_types import GENERATED, write


@pytest.mark.processes
def test_the_types_are_those_of_the_schemas(tmp_path: Path) -> None:
    write(tmp_path / "schemas.py")
    assert (tmp_path / "schemas.py").read_text() == GENERATED.read_text(), "run make schemas"


def test_the_client_knows_every_type_of_event() -> None:
    named = {value for name, value in vars(events).items() if name.isupper()}
    assert named == {*SHORT_TYPES, WEBHOOK_TEST}


def test_words_in_answers_may_be_new_and_words_in_requests_are_listed() -> None:
    assert get_type_hints(schemas.Failure)["reason"] is str
    assert "precision" in str(schemas.Focus)
