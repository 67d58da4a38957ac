# SPDX-License-Identifier: GPL-2.0-or-later
"""The status page in a real browser: what is seen, what changes by itself, what never runs."""

import json
import os
import signal

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import browser
from node import await_that
from scene import HOSTILE, PASSWORD

CONTRAST = """
const light = c => { const v = c / 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
const rgb = s => s.match(/[0-9.]+/g).map(Number);
const shine = s => { const [r, g, b] = rgb(s).map(light); return .2126 * r + .7152 * g + .0722 * b; };
const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if ((rgb(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; };
const bad = [];
for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const a = shine(getComputedStyle(e).color), b = shine(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
}
return bad;
"""


# By a script, in one step: an element that is held here may be another one a moment later.

def text(driver, selector="main"):
    return driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def said(driver):
    """What a screen reader has last been given."""
    return driver.execute_script("return document.getElementById('say').textContent")


def phones(driver):
    return driver.execute_script("return [...document.querySelectorAll('#c h3')].map(e => e.textContent)")


def state(driver, name):
    """What the phone's row says."""
    return driver.execute_script("return [...document.querySelectorAll('#c li')].find(e => e.querySelector("
                                 "'h3').textContent === arguments[0])?.innerText ?? ''", name)


def log_in(driver, scene, password=PASSWORD):
    driver.get(scene.url + "login")
    field = driver.find_element(By.ID, "pw")
    assert driver.switch_to.active_element == field
    field.send_keys(password, Keys.ENTER)
    await_that(lambda: driver.find_elements(By.CSS_SELECTOR, "#s, [role=alert]"), what="an answer")


def owners_view(driver, scene):
    driver.get(scene.url)
    if not driver.find_elements(By.ID, "q"):
        log_in(driver, scene)


def complaints(driver):
    """What the browser says of scripts and policies, in its console."""
    return [e["message"] for e in driver.get_log("browser") if "Content Security" in e["message"] or
            "Uncaught" in e["message"] or "Refused" in e["message"]]


def traffic(driver):
    """Requests and bytes since the last call, from the browser's network log."""
    events = [json.loads(e["message"])["message"] for e in driver.get_log("performance")]
    sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    size = sum(e["params"].get("encodedDataLength", 0) for e in events
               if e["method"] in ("Network.loadingFinished", "Network.dataReceived",
                                  "Network.responseReceived"))
    return [url for url in sent if url.startswith("http")], size


def test_a_phone_sees_itself_in_two_requests(scene, phone):
    traffic(phone)
    phone.get(scene.url)
    await_that(lambda: "does not answer" in text(phone), what="the printer that is off")
    await_that(lambda: "● answers" in text(phone) or "answers" in text(phone, "#p"), what="the other")
    assert "You are Anna's phone." in text(phone)
    assert phone.title == "connected · printgate"
    links = [a.get_attribute("href") for a in phone.find_elements(By.CSS_SELECTOR, "#p a.go")]
    assert len(links) == 2 and all(link.startswith("http://10.77.16.") for link in links)
    assert all(a.size["height"] >= 44 for a in phone.find_elements(By.CSS_SELECTOR, "#p a.go"))
    requests, size = traffic(phone)
    assert len(requests) <= 2, requests
    assert size <= 20480
    assert complaints(phone) == []


def test_what_changes_changes_without_a_reload(scene, phone):
    phone.get(scene.url)
    phone.execute_script("window.mark = 1; new PerformanceObserver(l => { window.shift = (window.shift || 0) + "
                         "l.getEntries().reduce((a, e) => a + e.value, 0); })"
                         ".observe({type: 'layout-shift', buffered: true});")
    phone.execute_script("document.querySelector('#p a.go').focus()")
    scene.gateway.run("lock", "--reason", "smoke")
    await_that(lambda: "Nobody reaches any printer" in text(phone), what="the lock")
    assert "closed by the lock" in text(phone) and "smoke" not in text(phone)
    await_that(lambda: said(phone) == "The gateway is locked", what="the news, and nothing else")
    assert phone.execute_script("return document.activeElement.className") == "go", "the focus is lost"
    scene.gateway.run("unlock")
    await_that(lambda: "You are Anna's phone." in text(phone), what="the end of the lock")
    assert phone.execute_script("return window.mark") == 1
    assert (phone.execute_script("return window.shift") or 0) < 0.1  # "good" by web.dev/cls


def test_core_that_does_not_answer_is_said_and_comes_back(scene, phone):
    phone.get(scene.url)
    core = scene.gate.pids("printgate-core")[0]
    os.kill(core, signal.SIGSTOP)
    try:
        await_that(lambda: "no answer" in text(phone).lower(), what="the silence")
    finally:
        os.kill(core, signal.SIGCONT)
    await_that(lambda: "You are Anna's phone." in text(phone), what="core")


def test_a_wrong_password_is_said(scene, phone):
    log_in(phone, scene, "correct horse & batteri")
    assert "That is not the password." in text(phone, "[role=alert]")
    phone.get(scene.url)
    assert "192.168." not in text(phone)


def test_the_owner_sees_who_connects(scene, phone):
    owners_view(phone, scene)
    assert "192.168.50.11" in text(phone, "#p")
    assert "waiting" in state(phone, "Ben's phone")
    phone.execute_script("window.mark = 1")
    scene.phone2.join(scene.configs["Ben's phone"])
    scene.phone2.connect()
    await_that(lambda: "online" in state(phone, "Ben's phone"), what="Ben")
    assert phone.execute_script("return window.mark") == 1
    await_that(lambda: "Ben's phone is online" in said(phone), what="the news")
    await_that(lambda: phones(phone)[1] == "Ben's phone",
               what="Ben among those who are online")


def test_hostile_names_do_nothing(scene, phone):
    owners_view(phone, scene)
    assert set(HOSTILE) <= set(phones(phone))
    assert phone.execute_script("return typeof hit") == "undefined"
    assert phone.execute_script("return document.querySelectorAll('main img, main script').length") == 0
    scene.gateway.run("rename", HOSTILE[0], HOSTILE[0] + "2")
    await_that(lambda: HOSTILE[0] + "2" in text(phone, "#c"), what="the new name")
    assert phone.execute_script("return typeof hit") == "undefined"
    assert complaints(phone) == []


def test_finding_while_typing(scene, phone):
    owners_view(phone, scene)
    field = phone.find_element(By.ID, "q")
    field.send_keys("ben")
    await_that(lambda: phones(phone) == ["Ben's phone"],
               what="Ben alone")
    field.send_keys("zzz")
    await_that(lambda: "No phone has such a name." in text(phone, "#n"), what="nobody")
    field.send_keys(Keys.BACKSPACE * 6)
    await_that(lambda: len(phones(phone)) == 2 + len(HOSTILE),
               what="all")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen_and_all_can_be_read(scene, phone, width):
    owners_view(phone, scene)
    for scheme in ("light", "dark"):
        phone.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        phone.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600})
        assert phone.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert phone.execute_script(CONTRAST) == []
        seen = phone.execute_script("return [...document.querySelectorAll('#c .seen')].filter(e => e.textContent)"
                                    ".map(e => e.getClientRects().length)")
        assert seen and all(seen), "when a phone was last there is told on every screen"
    back = phone.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert back == "rgb(20, 23, 19)"
    labels = phone.execute_script("return [...document.querySelectorAll('input:not([type=hidden])')]"
                                  ".every(e => e.labels.length)")
    levels = phone.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
    assert labels and levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))


def test_without_a_script(scene):
    with browser(scene.phone.node, script=False) as driver:
        log_in(driver, scene)
        assert "Ben's phone" in text(driver, "#c")
        assert "Load the page again" in text(driver, "body")
        driver.find_element(By.ID, "q").send_keys("anna", Keys.ENTER)
        await_that(lambda: phones(driver) ==
                   ["Anna's phone"], what="Anna alone")
        driver.find_element(By.CSS_SELECTOR, "header button").click()
        await_that(lambda: "Owner's view" in text(driver, "header"), what="the end of the session")


def test_guessing_ends_after_five_tries(scene, phone):
    for i in range(7):
        log_in(phone, scene, f"wrong {i} wrong")
        said = text(phone, "[role=alert]")
        if "Too many tries" in said:
            break
    assert i <= 5 and "wait" in said
