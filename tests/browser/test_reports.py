"""Every report as a reader's browser shows it, as axe judges it, and as it is printed."""

import json
import re
import subprocess

import pytest
from small_shops import ROOT

pytestmark = pytest.mark.browser
NOTEBOOKS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
PAGES = [*NOTEBOOKS, "index", "week", "month", "all"]
LANGUAGES = {"zh": "zh-CN", "en": "en"}
LARGEST, LARGEST_FRONT = 300_000, 120_000
PAGES_OF_THE_DAY = 8


@pytest.fixture(params=[(page, language) for page in PAGES for language in LANGUAGES], ids="-".join)
def report(request, reports):
    page, language = request.param
    folder = reports[language]
    path = folder.parents[1] / "index.html" if page == "all" else folder / f"{page}.html"
    return path, LANGUAGES[language]


def opened(browser, path, width, scheme="light"):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
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
    outside = "return [...document.querySelectorAll('svg')].filter(e => "
    outside += "!e.closest('[role=img]') && e.getAttribute('aria-hidden') != 'true').length"
    assert browser.execute_script(outside) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, report, axe, scheme):
    """Contrast of 4.5 and more among them, of the text within the figures too."""
    opened(browser, report[0], 1280, scheme)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    run = "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then(r => done("
    run += "r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html)])))"
    browser.execute_script(axe)
    violations = browser.execute_async_script(run)
    assert [v for v in violations if v[0] in ("serious", "critical")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_figures_stands_out_from_the_page(browser, reports, scheme):
    """axe passes over SVG: each text's own colour against the page's."""
    measured = """
      const part = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 };
      const light = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number);
                           return .2126 * part(r) + .7152 * part(g) + .0722 * part(b) };
      const paper = light(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll('figure svg text')]
        .filter(e => e.checkVisibility() && e.textContent.trim() && !/[≈■]/.test(e.textContent))
        .map(e => { const ink = light(getComputedStyle(e).fill);
                    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05) })"""
    for name in NOTEBOOKS:
        opened(browser, reports["zh"] / f"{name}.html", 1280, scheme)
        contrasts = browser.execute_script(measured)
        assert contrasts, name
        assert min(contrasts) >= 4.5, name


def test_a_phone_sees_the_phones_figures(browser, report):
    opened(browser, report[0], 390)
    shown = "return [...document.querySelectorAll('figure svg')].filter(e => e.checkVisibility())"
    widths = browser.execute_script(shown + ".map(e => e.viewBox.baseVal.width)")
    assert set(widths) <= {350}


def test_no_letter_is_drawn_as_a_missing_one(browser, reports):
    """Each Chinese letter of a page, drawn small, looks other than a letter that no font has."""
    letters = sorted({c for path in reports["zh"].glob("*.html") for c in path.read_text("utf-8")
                      if "\u4e00" <= c <= "\u9fff" or c in "▲◆✓✕●×¥"})  # fmt: skip
    opened(browser, reports["zh"] / "index.html", 390)
    drawn = """
      const canvas = document.createElement('canvas'); canvas.width = canvas.height = 32;
      const pen = canvas.getContext('2d', {willReadFrequently: true});
      pen.font = '24px ' + getComputedStyle(document.body).fontFamily;
      const look = c => { pen.clearRect(0, 0, 32, 32); pen.fillText(c, 2, 26);
                          return pen.getImageData(0, 0, 32, 32).data.join() };
      const missing = look('\\u{10FFFE}');
      return arguments[0].filter(c => look(c) === missing)"""
    assert len(letters) > 300
    assert browser.execute_script(drawn, letters) == []
    assert browser.execute_script(drawn, ["\U0010fffe"]) == ["\U0010fffe"]


def printed(chromium, path, pdf):
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command = [chromium, *options, f"--print-to-pdf={pdf}", path.as_uri()]
    subprocess.run(command, check=True, capture_output=True)
    return pdf.read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_daily_report_prints_on_few_pages(chromium, reports, tmp_path, language):
    pdf = printed(chromium, reports[language] / "daily_report.html", tmp_path / "day.pdf")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= PAGES_OF_THE_DAY


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_figure_is_split_between_printed_pages(browser, reports, language):
    """Printed, each figure is kept whole with its caption, and each question with what follows it."""
    for name in NOTEBOOKS:
        opened(browser, reports[language] / f"{name}.html", 680)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        rules = "return [...document.querySelectorAll('figure:not(.table)')].map(e => "
        rules += "[getComputedStyle(e).breakInside, e.getBoundingClientRect().height])"
        figures = browser.execute_script(rules)
        page = (297 - 31) / 25.4 * 96
        assert all(inside == "avoid" and height < page for inside, height in figures), name
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_file_is_light(report):
    path, _ = report
    largest = LARGEST_FRONT if path.stem in ("index", "week", "month") else LARGEST
    assert path.stat().st_size <= largest


def test_the_files_of_a_shop_with_many_items_are_light(many_items):
    sizes = {path.name: path.stat().st_size for path in many_items.glob("*.html")}
    assert set(sizes) >= {f"{name}.html" for name in NOTEBOOKS}
    assert max(sizes.values()) <= LARGEST, sizes
    assert sizes["index.html"] <= LARGEST_FRONT
