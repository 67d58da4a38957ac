# SPDX-License-Identifier: GPL-2.0-or-later
"""For all Python tests: a skip is a failure, unless its reason says what this machine lacks."""

import pytest

LACKS = "this machine lacks "


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not reason.startswith(LACKS):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped without saying what the machine lacks: " \
                              f"{reason}"
