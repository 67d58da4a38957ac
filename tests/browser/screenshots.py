#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of the real page, in a real browser, with 0, 3 and 200 phones: build/screenshots/*.png. Two of
them, which README.md shows, go to docs/."""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "netns")]

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from browser import browser  # noqa: E402
from node import BUILD, ROOT, await_that  # noqa: E402
from scene import PASSWORD, Scene  # noqa: E402

FOLDER = os.path.join(BUILD, "screenshots")
SHOWN = {"phone-light": "phone.png", "owner-3-desktop-dark": "owner.png"}
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
OTHERS = {3: ("Ben's phone", "Workshop tablet"), 200: [f"Phone {n:03}" for n in range(1, 200)]}


def shot(driver, name):
    await_that(lambda: "not asked yet" not in driver.page_source, what="the printers")
    path = os.path.join(FOLDER, name + ".png")
    driver.save_screenshot(path)
    print(os.path.relpath(path))
    if name in SHOWN:
        shutil.copy(path, os.path.join(ROOT, "docs", SHOWN[name]))


def owner(node, url, count):
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            with browser(node, width, height, dark=scheme == "dark") as driver:
                driver.get(url + "login")
                driver.find_element(By.ID, "pw").send_keys(PASSWORD, Keys.ENTER)
                await_that(lambda: driver.find_elements(By.ID, "s"), what="the page")
                shot(driver, f"owner-{count}-{size}-{scheme}")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    with Scene(None) as scene:
        owner(scene.gate, "http://127.0.0.1:8080/", 0)
    for count, others in OTHERS.items():
        with Scene(others) as scene:
            owner(scene.phone.node, scene.url, count)
            if count != 3:
                continue
            for scheme in ("light", "dark"):
                with browser(scene.phone.node, *SIZES["phone"], dark=scheme == "dark") as driver:
                    driver.get(scene.url)
                    shot(driver, f"phone-{scheme}")


if __name__ == "__main__":
    main()
