"""Every form of a template that changes something has the field of the session's token."""

import re
from pathlib import Path

import api.pages

TEMPLATES = Path(api.pages.__file__).with_name("templates")
# The login is where a session begins: there is none that a token could belong to.
WITHOUT = {"access/login.html"}
_FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)


def test_every_form_has_its_token() -> None:
    forms = [
        (path.relative_to(TEMPLATES).as_posix(), form)
        for path in TEMPLATES.rglob("*.html")
        for form in _FORM.findall(path.read_text(encoding="utf-8"))
        if 'method="post"' in form
    ]
    assert len(forms) > 10
    without = {name for name, form in forms if "{{ csrf_field() }}" not in form}
    assert without == WITHOUT
