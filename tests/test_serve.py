import http.client
import threading

import pytest

from shopanalysis import serve
from shopanalysis.__main__ import main
from shopanalysis.errors import ParameterError


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A reports' folder with what is shown, what is not, and a secret beside it."""
    root = tmp_path_factory.mktemp("serve")
    files = {
        "reports/index.html": "all",
        "reports/2026-11-20/茶/index.html": "front",
        "reports/2026-11-20/茶/findings.json": "{}",
        "reports/2026-11-20/茶/tables/a.csv": "a,b\n",
        "reports/2026-11-20/茶/run.json.tmp": "half",
        "reports/schedule.log": "log",
        "reports/.locks/index": "1",
        "reports/.locks/index.html": "1",
        "reports/.tmp-1/tea.html": "half",
        "secret.html": "secret",
        "reports-old/index.html": "secret",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    (root / "reports" / "out.html").symlink_to(root / "secret.html")
    (root / "reports" / "up").symlink_to(root)
    (root / "reports" / "lock.html").symlink_to(root / "reports/.locks/index.html")
    return root / "reports"


@pytest.fixture(scope="module")
def port(reports):
    with serve.server(reports, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in ({"Host": "localhost"} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/", "all", "text/html; charset=utf-8"),
        ("/index.html?x=1", "all", "text/html; charset=utf-8"),
        ("/2026-11-20/%E8%8C%B6/", "front", "text/html; charset=utf-8"),
        ("/2026-11-20/%E8%8C%B6/findings.json", "{}", "application/json; charset=utf-8"),
        ("/2026-11-20/%E8%8C%B6/tables/a.csv", "a,b\n", "text/csv; charset=utf-8"),
    ],
)
def test_reports_are_shown(port, path, text, kind):
    answer = ask(port, path)
    assert (answer.status, answer.text, answer.headers["Content-Type"]) == (200, text, kind)


@pytest.mark.parametrize(
    "path",
    [
        "/none.html",
        "/2026-11-20/",
        "/2026-11-20",
        "/2026-11-20/%E8%8C%B6/tables/",
        "/../secret.html",
        "/%2e%2e/secret.html",
        "/2026-11-20/..%2f..%2f..%2fsecret.html",
        "/..%5csecret.html",
        "/../reports-old/index.html",
        "//etc/passwd",
        "/%2fetc/passwd",
        "//127.0.0.1/index.html",
        "http://127.0.0.1/index.html",
        "/index.html%00.html",
        "/%ff.html",
        "/.locks/index",
        "/.locks/index.html",
        "/lock.html",
        "/.tmp-1/tea.html",
        "/2026-11-20/%E8%8C%B6/run.json.tmp",
        "/schedule.log",
        "/out.html",
        "/up/secret.html",
        "/C:/secret.html",
        "*",
    ],
)
def test_everything_else_is_not_there(port, path):
    answer = ask(port, path)
    assert answer.status == 404
    assert "secret" not in answer.text.replace("secret.html", "")


def test_a_folder_is_asked_for_with_its_last_slash(port):
    answer = ask(port, "/2026-11-20/%E8%8C%B6")
    assert (answer.status, answer.headers["Location"]) == (301, "/2026-11-20/%E8%8C%B6/")


def test_head_says_what_get_would_send(port):
    answer = ask(port, "/index.html", "HEAD")
    assert (answer.status, answer.text, answer.headers["Content-Length"]) == (200, "", "3")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_written(port, reports, method):
    answer = ask(port, "/index.html", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert (reports / "index.html").read_text() == "all"


@pytest.mark.parametrize("host", ["reports.example.com", "127.0.0.1.example.com", "", "10.0.0.1"])
def test_another_name_for_this_machine_is_refused(port, host):
    assert ask(port, "/", Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:8000", "[::1]:8000"])
def test_a_tunnel_may_have_another_port(port, host):
    assert ask(port, "/", Host=host).status == 200


@pytest.mark.parametrize("path", ["/", "/none", "/2026-11-20/%E8%8C%B6"])
def test_every_answer_has_the_strict_headers(port, path):
    headers = ask(port, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert headers["Server"].strip() == "shopanalysis"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", ""])
def test_others_cannot_be_let_in(reports, host):
    with pytest.raises(ParameterError, match="can be reached from other machines"):
        serve.server(reports, host, 0)


def test_the_command_says_where_and_ends_when_interrupted(reports, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(serve.ThreadingHTTPServer, "serve_forever", interrupt)
    assert main(["serve", "--out", str(reports), "--port", "0"]) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")
    assert main(["serve", "--out", "none"]) == 2
    assert main(["serve", "--out", str(reports), "--host", "0.0.0.0"]) == 2
