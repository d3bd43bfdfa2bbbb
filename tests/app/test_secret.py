"""The tabs of one browser are one visitor, also when two open at the same moment."""

import json

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from pages.components.shared.secret import SECRET, STATE

OTHER = "another-tab-of-the-same-browser-"


def first_visit():
    from pages.components.shared.secret import keep_secret

    keep_secret()


def told(page, secret):
    """The page after its browser has told the secret in its cookie."""
    keeper = page.get("bidi_component")[0].proto
    message = WidgetState(id=keeper.id, json_value=json.dumps({"secret": secret}))
    page._run(WidgetStates(widgets=[message]))
    assert not page.exception
    return page.session_state[STATE]


def test_a_tab_takes_on_the_secret_that_its_browser_has():
    page = AppTest.from_function(first_visit).run()
    own = page.session_state[STATE]
    assert SECRET.fullmatch(own) and own in page.get("bidi_component")[0].proto.json
    for strange in (None, 7, "", "a;b", OTHER + "x", {"a": 1}, [OTHER]):
        assert told(page, strange) == own
    assert told(page, OTHER) == OTHER
    assert OTHER in page.get("bidi_component")[0].proto.json
