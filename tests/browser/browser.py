# SPDX-License-Identifier: GPL-2.0-or-later
"""A real browser (Debian's Chromium) inside a node of the lab, driven by chromedriver."""

import contextlib
import os
import shutil
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "netns"))

from node import SLOW, inside  # noqa: E402

PORTS = iter(range(9600, 9999))


@contextlib.contextmanager
def browser(node, width=390, height=844, dark=False, script=True):
    """Chromium with a window of that size. It runs in the node's network; we drive it from there, by
    the loopback address."""
    home = tempfile.mkdtemp(prefix="printgate-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage",
                     "hide-scrollbars", "no-first-run", "disable-background-networking",
                     "disable-component-update", "disable-sync", "disable-extensions",
                     f"user-data-dir={home}/profile", f"window-size={width},{height}"):
        options.add_argument("--" + argument)
    if dark:
        options.add_argument("--force-dark-mode")
    if not script:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service("/usr/bin/chromedriver", port=next(PORTS), env={**os.environ, "HOME": home})
    with inside(node.netns):
        driver = webdriver.Chrome(service=service, options=options)
        try:
            driver.set_page_load_timeout(60 * SLOW)
            scheme = "dark" if dark else "light"
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
            yield driver
        finally:
            driver.quit()
            shutil.rmtree(home, ignore_errors=True)
