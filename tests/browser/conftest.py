"""The demo shop's reports in both languages, and a headless Chromium to look at them."""

import os
import shutil
import subprocess
import sys

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from small_shops import DEMO, ROOT

LANGUAGES = ("zh", "en")


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Folder by language: reports/<date>/demo of one run each."""
    folders = {}
    for language in LANGUAGES:
        out = tmp_path_factory.mktemp(f"reports-{language}")
        command = [sys.executable, "-m", "shopanalysis", "run", "--shop", str(DEMO)]
        command += ["--lang", language, "--out", str(out)]
        subprocess.run(command, check=True, cwd=ROOT)
        (folders[language],) = out.glob("*/demo")
    return folders


@pytest.fixture(scope="session")
def browser():
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        missing = "Chromium and its driver are not installed"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()
