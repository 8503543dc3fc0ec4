"""Messages really sent: to a mail server and a webhook on this machine."""

import email
import json
import logging
import threading
from email import policy
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from shopanalysis import circulate, shop
from shopanalysis.__main__ import main
from shopanalysis.addresses import MASK, addresses, masked
from shopanalysis.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PASSWORD, TOKEN = "pa55-w%2Bord!", "t0ken-4f9c2e"


class Mailbox:
    """A mail server's memory; it turns away whoever is called nobody."""

    def __init__(self):
        self.mails, self.asked = [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.asked.append(address)
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"


class Server(Controller):
    """A mail server on whichever port is free."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def login(server, session, envelope, mechanism, given):
    return AuthResult(success=given.password == b"pa55-w+ord!", handled=False)


@pytest.fixture
def mailbox():
    """A mail server that wants a password, as long as the test lasts."""
    box = Mailbox()
    server = Server(
        box, "127.0.0.1", 0, authenticator=login, auth_require_tls=False, auth_required=True
    )
    server.start()
    box.port = server.port
    yield box
    server.stop()


@pytest.fixture
def hook():
    """A webhook that takes everything, except for the first `refuses` posts."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posts.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503 if len(posts) <= server.refuses else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    posts = []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.refuses, server.posts = 0, posts
    server.url = f"json://reader:{TOKEN}@127.0.0.1:{server.server_port}/in/{TOKEN}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def mail_url(mailbox, *to, **more):
    said = "&".join(f"{name}={value}" for name, value in more.items())
    return (
        f"mailto://robot:{PASSWORD}@127.0.0.1:{mailbox.port}/?from=robot@example.com"
        f"&mode=insecure&to={','.join(to)}&{said}"
    )


def sentence(text, **more):
    told = {"en": text, "zh": f"“{text}”在中文里"}
    usual = {"notebook": "tea", "severity": "info", "owner": "", "action": {}, "sentence": told}
    return usual | more


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A shop with one run: two reports that were made and one that was not."""
    folder = tmp_path / "data" / "茶"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "茶杯店"\nlanguage = "zh"\n[circulate]\nurl = "$MAIL"\n'
        'link = "https://reports.example.com/"\n'
    )
    run = tmp_path / "reports" / "2026-11-20" / "茶"
    run.mkdir(parents=True)
    wait = sentence(
        "Wait.", severity="warning", owner="stock", action={"en": "Buy.", "zh": "进货。"}
    )
    findings = [sentence("Sales < last week."), sentence("Quiet."), wait]
    (run / "findings.json").write_text(json.dumps({"findings": findings}))
    records = {"tea": "done", "cups": "done", "lids": "failed"}
    told = {name: {"status": status} for name, status in records.items()}
    (run / "run.json").write_text(json.dumps({"notebooks": told, "refused": ["a.csv: no"]}))
    for name in ("tea", "cups"):
        (run / f"{name}.html").write_text(f"<p>茶 {name}</p>", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("apprise.URLBase.throttle", lambda *_, **__: None)
    return tmp_path


@pytest.fixture
def sender():
    """A sender that keeps what it says, and does not really wait."""
    lines, waits = [], []
    made = circulate.Sender(lines.append, lines.append, {}, waits.append)
    made.lines, made.waits = lines, waits
    return made


def send(sender, project, language="", **environment):
    opened = shop.load(project / "data" / "茶")
    sender.environment = environment
    sender.send(opened, circulate.run_of(opened, project / "reports"), language)
    return "\n".join(sender.lines)


ENGLISH = """\
Note: Sales < last week.
Watch: Wait.

Decisions
1. Stock: Buy.

1 report could not be made; the last good one stands.
1 file was refused at import.
All reports of this day: https://reports.example.com/2026-11-20/%E8%8C%B6/index.html"""
CHINESE = """\
说明：“Sales < last week.”在中文里
留意：“Wait.”在中文里

要做的决定
1. 库存：进货。

1 份报告未能生成；上一份完好的报告保持原样。
1 个文件在导入时被拒绝。
当天全部报告：https://reports.example.com/2026-11-20/%E8%8C%B6/index.html"""


def test_the_message_is_the_front_page(project):
    opened = shop.load(project / "data" / "茶")
    told = circulate.message(opened, circulate.run_of(opened, project / "reports"), "en")
    assert told.title == "茶杯店, 20 Nov 2026"
    assert told.body == ENGLISH
    assert list(told.files) == ["2026-11-20-tea.html"]


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [("en", "茶杯店, 20 Nov 2026", ENGLISH), ("zh", "茶杯店，2026年11月20日", CHINESE)],
)
def test_a_mail_arrives_in_the_language_with_its_report(
    project, mailbox, sender, language, subject, text
):
    url = mail_url(mailbox, "lead@example.com", format="text")
    said = send(sender, project, language, MAIL=url)
    assert said == "茶 2026-11-20 MAIL  sent"
    ((to, mail),) = mailbox.mails
    assert (to, mail["subject"]) == (["lead@example.com"], subject)
    assert mail.get_body(("plain",)).get_content().split("\r\n") == text.split("\n")
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "2026-11-20-tea.html"
    assert attached.get_content_type() == "text/html"
    assert attached.get_payload(decode=True).decode() == "<p>茶 tea</p>"
    assert not sender.failed


def test_a_run_without_sentences_in_the_language_is_not_sent(project):
    with pytest.raises(DataError, match="has no sentences in 'es': run it again"):
        circulate.message(
            shop.load(project / "data" / "茶"), project / "reports/2026-11-20/茶", "es"
        )


def test_a_sign_in_a_sentence_is_no_markup_in_a_mail_with_markup(project, mailbox, sender):
    send(sender, project, "en", MAIL=mail_url(mailbox, "lead@example.com", format="html"))
    body = mailbox.mails[0][1].get_body(("html",)).get_content()
    assert "Sales &lt; last week." in body.replace("&nbsp;", " ")


def test_a_message_is_sent_once(project, mailbox, sender):
    url = mail_url(mailbox, "lead@example.com")
    send(sender, project, MAIL=url)
    said = send(sender, project, MAIL=url)
    assert "MAIL  sent already, 20" in said
    assert len(mailbox.mails) == 1
    sender.again = True
    send(sender, project, MAIL=url)
    assert len(mailbox.mails) == 2


def test_a_message_that_has_changed_and_a_new_address_are_sent(project, mailbox, sender):
    send(sender, project, MAIL=mail_url(mailbox, "lead@example.com"))
    send(sender, project, MAIL=mail_url(mailbox, "other@example.com"))
    send(sender, project, "en", MAIL=mail_url(mailbox, "other@example.com"))
    assert [to for to, _ in mailbox.mails] == [["lead@example.com"], *2 * [["other@example.com"]]]


def test_a_refused_recipient_is_tried_again_and_reported_and_the_others_get_one_mail(
    project, mailbox, sender
):
    url = mail_url(mailbox, "lead@example.com", "nobody@example.com", "night@example.com")
    said = send(sender, project, MAIL=url)
    assert [to for to, _ in mailbox.mails] == [["lead@example.com"], ["night@example.com"]]
    assert mailbox.asked.count("nobody@example.com") == 3
    assert sender.waits == [10, 60]
    assert sender.failed
    assert "MAIL (2 of 3)  not sent after 3 attempts: " in said
    assert "550" in said
    assert "no such mailbox" in said


def test_a_webhook_gets_the_message_after_a_second_attempt(project, hook, sender):
    hook.refuses = 1
    said = send(sender, project, "en", MAIL=hook.url)
    assert said == "茶 2026-11-20 MAIL  sent"
    assert sender.waits == [10]
    path, body = hook.posts[1]
    told = json.loads(body)
    assert path == f"/in/{TOKEN}"
    assert (told["title"], told["message"]) == ("茶杯店, 20 Nov 2026", ENGLISH)
    assert told["attachments"][0]["filename"] == "2026-11-20-tea.html"


def test_one_address_that_fails_does_not_keep_the_message_from_another(
    project, mailbox, hook, sender
):
    file = project / "data" / "茶" / "shop.toml"
    file.write_text(file.read_text().replace('"$MAIL"', '["$NONE", "$ODD", "$MAIL", "$HOOK"]'))
    url = mail_url(mailbox, "lead@example.com")
    said = send(sender, project, MAIL=url, HOOK=hook.url, ODD=f"odd-{TOKEN}")
    assert "NONE  not sent: NONE is not set" in said
    assert "ODD  not sent: ODD holds no address that apprise knows" in said
    assert (len(mailbox.mails), len(hook.posts), sender.failed) == (1, 1, True)


def test_nothing_secret_is_said_logged_or_written(project, mailbox, hook, sender, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    hook.refuses = 9
    file = project / "data" / "茶" / "shop.toml"
    file.write_text(file.read_text().replace('"$MAIL"', '["$MAIL", "$HOOK", "$OFF"]'))
    wrong = mail_url(mailbox, "nobody@example.com").replace("pa55", "pa66")
    off = f"jsons://reader:{TOKEN}@127.0.0.1:1/{TOKEN}?verify=no"
    said = send(sender, project, MAIL=wrong, HOOK=hook.url, OFF=off)
    files = [path.read_text() for path in (project / "reports").rglob("*") if path.is_file()]
    assert len(mailbox.asked) == 0  # no login, no recipient
    told = "".join((said, *capfd.readouterr(), caplog.text, *files, *map(repr, sender.lines)))
    assert said.count("not sent") == 3
    assert MASK in said
    for secret in ("pa66", "w+ord", "w%2Bord", TOKEN, "reader", "nobody@"):
        assert secret not in told, secret


def test_a_short_password_and_its_plain_form_are_masked():
    (one,), _ = addresses(["A"], {"A": "json://me:k%40@127.0.0.1/in"})
    assert masked("me:k@ or k%40 or K@", one.secrets) == "***:*** or *** or ***"
    assert "k%40" not in repr(one)


def test_reports_named_go_along_and_others_are_refused(project):
    file = project / "data" / "茶" / "shop.toml"
    plain = file.read_text()
    for names, files in (('["tea", "cups", "lids"]', ["tea", "cups"]), ("[]", [])):
        file.write_text(plain + f"attach = {names}\n")
        opened = shop.load(file.parent)
        told = circulate.message(opened, circulate.run_of(opened, project / "reports"), "en")
        assert list(told.files) == [f"2026-11-20-{name}.html" for name in files]
    file.write_text(plain + 'attach = ["coffee"]\n')
    opened = shop.load(file.parent)
    with pytest.raises(DataError, match=r"attach names coffee; the run in .* has: tea, cups, lids"):
        circulate.message(opened, circulate.run_of(opened, project / "reports"), "en")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'url = "json://x:{TOKEN}@host"', "circulate.url takes names of environment variables"),
        ("url = []", "circulate.url takes names of environment variables"),
        ('url = "$A"\nto = "x"', "circulate has no to. It can have: url, attach, link, language."),
        ('url = "$A"\nattach = "tea"', "circulate.attach is 'tea'; expected a list of notebooks."),
        ('url = "$A"\nlink = "x"', "circulate.link is 'x'; expected an address, https://"),
        ('url = "$A"\nlanguage = "fr"', "circulate.language is 'fr'; allowed: en, es, zh."),
    ],
)
def test_what_shop_toml_cannot_say(tmp_path, line, message):
    (tmp_path / "shop.toml").write_text(f"[circulate]\n{line}\n")
    with pytest.raises(DataError, match=message) as refused:
        shop.load(tmp_path)
    assert TOKEN not in str(refused.value)


def test_send_from_the_command_line(project, hook, monkeypatch, capsys):
    monkeypatch.setenv("MAIL", hook.url)
    before = {path: path.read_bytes() for path in (project / "reports").rglob("*.*ml")}
    assert main(["send", "--lang", "en"]) == 0
    assert capsys.readouterr().out == "茶 2026-11-20 MAIL  sent\n"
    monkeypatch.delenv("MAIL")
    assert main(["send"]) == 1
    assert "MAIL is not set" in capsys.readouterr().err
    assert main(["send", "--date", "2026-11-19"]) == 3
    assert "茶 has no reports for 2026-11-19 in reports" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_a_shop_without_addresses(project, capsys):
    (project / "data" / "茶" / "shop.toml").write_text('name = "Cups"\n')
    assert main(["send"]) == 2
    assert "has no [circulate]" in capsys.readouterr().err
