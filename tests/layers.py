#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves the division of the sources: who may include whom and which library's headers, what every
file begins with, and which functions no program of ours calls. Exit status 1 on any finding.

Lengths (functions over 60 lines, files over 500) are told as warnings.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("common", "db", "daemon/priv", "daemon/core", "web", "tls", "cli")

# Whose headers a folder may include, besides its own.
MAY_INCLUDE = {
    "common": (),
    "db": ("common",),
    "daemon/priv": ("common",),
    "daemon/core": ("common", "db"),
    "web": ("common",),
    "tls": ("common",),
    "cli": ("common",),
}

# Headers of libraries and of the kernel's interfaces, and the only folders they may appear in.
RESERVED = (
    (r"netlink/|libmnl/|libnftnl/|libnetfilter|linux/(netlink|rtnetlink|genetlink|wireguard|if_link"
     r"|if_tun|fib_rules|netfilter)", ("daemon/priv",)),
    (r"sys/capability\.h", ("daemon/priv",)),
    (r"ini\.h", ("daemon/priv", "cli")),
    (r"sqlite3\.h", ("db",)),
    (r"uni(case|str|norm|types|casemap)\.h", ("db",)),
    (r"event2/|event\.h|evhttp\.h", ("daemon/core", "web", "tls")),
    (r"event2/http", ()),
    (r"event2/listener", ("web", "tls")),
    (r"event2/bufferevent_ssl|openssl/", ("tls",)),
    (r"seccomp\.h", ("common",)),
    (r"qrencode\.h|png\.h|jansson\.h", ("cli",)),
    (r"sodium", ("common", "daemon/priv", "daemon/core", "cli")),
)

FORBIDDEN = (
    (r"\b(system|popen|execlp|execvp|execvpe)\s*\(", "runs what a search path or a shell finds"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|tmpnam|mktemp)\s*\(", "unbounded or racy"),
    (r"\balloca\s*\(", "unbounded stack"),
)

SPDX = "/* SPDX-License-Identifier: GPL-2.0-or-later */"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
LONGEST_FUNCTION, LONGEST_FILE = 60, 500


def folder_of(path):
    return path.relative_to(ROOT).parent.as_posix()


def check_include(folder, kind, header):
    """What is wrong with this line, or None."""
    if header == "web_assets.h" and folder == "web":
        return None  # made by web/assets.sh
    if kind == '"':
        owner = next((f for f in FOLDERS if header.startswith(f + "/")), None)
        if owner is None:
            return f'"{header}": our headers are named from the root'
        if owner != folder and owner not in MAY_INCLUDE[folder]:
            return f'{folder} may not include "{header}"'
        if not (ROOT / header).exists():
            return f'"{header}" does not exist'
        return None
    for pattern, allowed in RESERVED:
        if re.match(pattern, header) and folder not in allowed:
            return f"<{header}> belongs to {', '.join(allowed)} only"
    return None


def check_shape(path, text):
    """SPDX line, opening paragraph, #pragma once, own header first."""
    lines = text.split("\n")
    if lines[0] != SPDX:
        yield 1, f"must begin with {SPDX}"
    if len(lines) < 2 or lines[1] != "/*":
        yield 2, "must open with a paragraph that says what the file is for"
    if path.suffix == ".h" and "\n#pragma once\n" not in text:
        yield 1, "header without #pragma once"
    own = path.with_suffix(".h")
    first = INCLUDE.search(text)
    if path.suffix == ".c" and own.exists() and first:
        name = own.relative_to(ROOT).as_posix()
        if first.group(2) not in (name, name.replace(".h", "_internal.h")):
            yield 1, f"must include its own header first, not {first.group(2)}"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def check_forbidden(text):
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "unfinished"
    code = STRING.sub(blank, COMMENT.sub(blank, text))
    for pattern, why in FORBIDDEN:
        for m in re.finditer(pattern, code):
            yield code.count("\n", 0, m.start()) + 1, f"{m.group(0).strip()}: {why}"


def check_file(path):
    text = path.read_text(encoding="utf-8")
    folder = folder_of(path)
    yield from check_shape(path, text)
    yield from check_forbidden(text)
    for m in INCLUDE.finditer(text):
        wrong = check_include(folder, m.group(1), m.group(2))
        if wrong:
            yield text.count("\n", 0, m.start()) + 1, wrong


def functions(text):
    """(line, length) of each function: kernel style has its braces in the first column."""
    begun = None
    for number, line in enumerate(text.split("\n"), 1):
        if line == "{":
            begun = number
        elif line == "}" and begun:
            yield begun, number - begun + 1
            begun = None


def lengths(paths):
    every = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        total = text.count("\n")
        if total > LONGEST_FILE:
            print(f"{name}: warning: {total} lines")
        for line, length in functions(text):
            every.append(length)
            if length > LONGEST_FUNCTION:
                print(f"{name}:{line}: warning: function of {length} lines")
    every.sort()
    if every:
        print(f"layers: {len(every)} functions, median {every[len(every) // 2]} lines, "
              f"95th percentile {every[len(every) * 95 // 100]}, longest {every[-1]}")


def main():
    paths = sorted(p for f in FOLDERS for p in (ROOT / f).glob("*.[ch]"))
    findings = 0
    if not paths:
        print("layers: no sources found", file=sys.stderr)
        return 1
    for path in paths:
        for line, what in check_file(path):
            print(f"{path.relative_to(ROOT)}:{line}: error: {what}")
            findings += 1
    lengths(paths)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
