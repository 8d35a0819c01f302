"""Headless Chromium, driven through WebDriver, as somebody who watches a beacon's page has it."""

import pathlib
import shutil
import tempfile
import unittest

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = Service = By = Keys = None

# Chromium's programs of Debian; `google-chrome` and others are not looked for.
PROGRAMS = ("chromium", "chromedriver")


def missing():
    """Why there is no browser; empty: there is one."""
    if webdriver is None:
        return "the Python module selenium is missing (Debian: python3-selenium)"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"missing: {' '.join(absent)} (Debian: chromium chromium-driver)" if absent else ""


def open_browser(test: unittest.TestCase):
    """A browser that ends with the test. Skips the test where there is none."""
    if missing():
        test.skipTest(missing())
    options = webdriver.ChromeOptions()
    # Tests may run as root, and in containers with a small /dev/shm.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Without a graphics card it draws with all cores. It must not take them from the beacons and clients under test.
    driver = webdriver.Chrome(options=options, service=Service(executable_path=_yielding_driver(test)))
    test.addCleanup(driver.quit)
    driver.set_script_timeout(60)
    return driver


def _yielding_driver(test):
    """A program that is chromedriver at the lowest priority. The browsers that it starts inherit the priority."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    script = pathlib.Path(folder.name, "chromedriver")
    script.write_text(f'#!/bin/sh\nexec nice -n 19 {shutil.which("chromedriver")} "$@"\n', encoding="ascii")
    script.chmod(0o700)
    return script


def set_scheme(driver, scheme):
    """`scheme`: light or dark, as the system prefers it."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def set_size(driver, width, height):
    """The size of the page; the least width of a window is larger than a phone's."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def errors(driver):
    """What the browser has complained about since the last call."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
