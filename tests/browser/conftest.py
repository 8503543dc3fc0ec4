"""Reports of the demo shop in both languages and of a shop with many items, and a headless Chromium."""

import os
import shutil
import subprocess
import sys

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from small_shops import DEMO, ROOT, with_many_items

LANGUAGES = ("zh", "en")
AXE = ROOT / ".cache" / "axe" / "axe_playwright_python" / "axe.min.js"  # put there by .ci/run


def made(shop, language, out):
    """The folder reports/<date>/<shop> of one run."""
    command = [sys.executable, "-m", "shopanalysis", "run", "--shop", str(shop)]
    command += ["--lang", language, "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT)
    (folder,) = out.glob(f"*/{shop.name}")
    return folder


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Folder by language: reports/<date>/demo of one run each."""
    return {
        language: made(DEMO, language, tmp_path_factory.mktemp(f"reports-{language}"))
        for language in LANGUAGES
    }


@pytest.fixture(scope="session")
def many_items(tmp_path_factory):
    """The reports of a shop with 300 items."""
    shop = tmp_path_factory.mktemp("data") / "many"
    with_many_items(DEMO, shop, times=5)
    return made(shop, "zh", tmp_path_factory.mktemp("reports-many"))


def _needed(what, is_there):
    if not is_there:
        pytest.fail(what) if os.environ.get("CI") else pytest.skip(what)


@pytest.fixture(scope="session")
def chromium():
    """The program, which also prints."""
    program = shutil.which("chromium")
    _needed("Chromium and its driver are not installed", program and shutil.which("chromedriver"))
    return program


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    _needed(f"axe-core is not in {AXE.relative_to(ROOT)}; .ci/run puts it there", AXE.is_file())
    return AXE.read_text("utf-8")


@pytest.fixture(scope="session")
def browser(chromium):
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield opened
    opened.quit()
