import pytest

from workers.page.class_names import ASIDE, CONTROL, GROUP_BITS, GUTTER, NO_TEXT, name_flags


@pytest.mark.parametrize(
    ("names", "flags"),
    [
        pytest.param("navBar", 1 << GROUP_BITS["navigation"], id="a word within a name"),
        pytest.param("xyz footer", 1 << GROUP_BITS["footer"], id="one of several names"),
        pytest.param("sr-only", ASIDE | 1 << GROUP_BITS["hidden"], id="for screen readers"),
        pytest.param("code-gutter", GUTTER, id="numbers of lines"),
        pytest.param("copy-button", CONTROL | 1 << GROUP_BITS["body"] | 1 << GROUP_BITS["form"], id="to copy"),
        pytest.param("copyright lines", 1 << GROUP_BITS["footer"], id="one name does not say what another means"),
        pytest.param("box CookieConsent", NO_TEXT, id="a consent manager's"),
        pytest.param("  ", 0, id="none"),
    ],
)
def test_names_say_what_an_element_is(names: str, flags: int) -> None:
    told = name_flags(names)
    assert told & flags == flags
    assert not (told ^ flags) & (ASIDE | GUTTER | CONTROL | NO_TEXT)
