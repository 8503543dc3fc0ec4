"""Every report as a reader's browser shows it."""

import json

import pytest
from small_shops import ROOT

pytestmark = pytest.mark.browser
PAGES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))] + ["index"]
LANGUAGES = {"zh": "zh-CN", "en": "en"}
LARGEST = 300_000


@pytest.fixture(params=[(page, language) for page in PAGES for language in LANGUAGES], ids="-".join)
def report(request, reports):
    page, language = request.param
    return reports[language] / f"{page}.html", LANGUAGES[language]


def opened(browser, path, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(path.as_uri())
    return browser


def requests(browser) -> set[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return {params["request"]["url"] for params in sent}


def test_no_request_leaves_the_page_and_nothing_is_complained_of(browser, report):
    path, _ = report
    opened(browser, path, 1280)
    assert requests(browser) <= {path.as_uri()}
    assert browser.get_log("browser") == []


def test_there_is_no_script_and_none_could_run(browser, report):
    path, _ = report
    opened(browser, path, 1280)
    assert browser.execute_script("return document.scripts.length") == 0
    handlers = "return [...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
    handlers += ".filter(a => a.name.startsWith('on')).length"
    assert browser.execute_script(handlers) == 0
    planted = "const s = document.createElement('script'); s.textContent = 'window.ran = true';"
    browser.execute_script(planted + "document.body.append(s)")
    assert browser.execute_script("return window.ran === undefined")


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_makes_the_page_scroll_sideways(browser, report, width):
    opened(browser, report[0], width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_language_title_and_text_alternatives(browser, report):
    path, language = report
    opened(browser, path, 390)
    assert browser.execute_script("return document.documentElement.lang") == language
    assert browser.title
    unnamed = "return [...document.querySelectorAll('[role=img]')].filter(e => !e.ariaLabel).length"
    assert browser.execute_script(unnamed) == 0


def test_a_phone_sees_the_phones_figures(browser, report):
    opened(browser, report[0], 390)
    shown = "return [...document.querySelectorAll('figure svg')].filter(e => e.checkVisibility())"
    widths = browser.execute_script(shown + ".map(e => e.viewBox.baseVal.width)")
    assert set(widths) <= {350}


def test_the_file_is_light(report):
    assert report[0].stat().st_size <= LARGEST
