#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what the packages of a release hold and depend on, as SPDX 2.3 in JSON. Called by release.sh:

    sbom.py NAME TREE SECONDS [DEB SUITE ROOT]…

All of it comes from dpkg: what is in DEB, and what is installed below ROOT, where DEB was built and where
therefore the libraries are that it was linked with. TREE is git's name for the sources. Nothing depends on
where and when it is made."""

import argparse
import datetime
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.parse

LICENSE = "GPL-2.0-or-later"
UNKNOWN = "NOASSERTION"


def spdx_id(*words):
    return "SPDXRef-" + "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", w).strip("-") for w in words)


def stanzas(text):
    """Paragraphs of dpkg's form, as dictionaries; of a field's further lines only the first is needed."""
    for paragraph in text.split("\n\n"):
        fields = dict(l.split(": ", 1) for l in paragraph.splitlines()
                      if ": " in l and not l.startswith(" "))
        if fields:
            yield fields


class System:
    """What is installed below a root folder, of one architecture."""

    def __init__(self, root, arch):
        with open(os.path.join(root, "var/lib/dpkg/status"), encoding="utf-8") as f:
            self.packages = {s["Package"]: s for s in stanzas(f.read())
                             if s["Status"].endswith(" installed")
                             and s["Architecture"] in (arch, "all")}

    def find(self, name):
        return self.packages.get(name)


def dependencies(fields):
    """One list of alternatives, by name, for each thing that a package needs."""
    text = ", ".join(fields[k] for k in ("Pre-Depends", "Depends") if k in fields)
    for group in filter(None, text.split(", ")):
        yield [re.split(r"[\s(:]", a.strip(), maxsplit=1)[0] for a in group.split("|")]


def contents(deb):
    """Path, SHA1 and SHA256 of each file in it."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in sorted(tar, key=lambda m: m.name):
            if member.isfile():
                inside = tar.extractfile(member).read()
                yield member.name, hashlib.sha1(inside).hexdigest(), hashlib.sha256(inside).hexdigest()


def purl(fields, suite, vendor):
    """The package's name among all kinds of packages."""
    version = urllib.parse.quote(fields["Version"], safe="")
    where = urllib.parse.urlencode({"arch": fields["Architecture"], "distro": suite})
    return f"pkg:deb/{vendor}{fields['Package']}@{version}?{where}"


def common(name, spdxid, fields, suite, vendor):
    package = {"SPDXID": spdxid, "name": name, "downloadLocation": UNKNOWN,
               "licenseConcluded": UNKNOWN, "licenseDeclared": UNKNOWN, "copyrightText": UNKNOWN}
    if fields:
        package["versionInfo"] = fields["Version"]
        package["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                    "referenceLocator": purl(fields, suite, vendor)}]
    return package


class Document:
    def __init__(self):
        self.packages, self.files, self.relations = {}, [], []

    def relate(self, one, kind, other, comment=None):
        relation = {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
        if comment:
            relation["comment"] = comment
        self.relations.append(relation)

    def add_ours(self, deb, suite, root):
        fields = next(stanzas(subprocess.run(["dpkg-deb", "-f", deb], check=True, text=True,
                                             stdout=subprocess.PIPE).stdout))
        spdxid = spdx_id("Package", suite, fields["Architecture"], fields["Package"])
        package = common(fields["Package"], spdxid, fields, suite, "")
        with open(deb, "rb") as f:
            sha256 = hashlib.sha256(f.read()).hexdigest()
        package.update({"packageFileName": os.path.basename(deb), "filesAnalyzed": True,
                        "supplier": UNKNOWN, "licenseDeclared": LICENSE,
                        "copyrightText": "2026 the printgate authors",
                        "licenseInfoFromFiles": [UNKNOWN],
                        "checksums": [{"algorithm": "SHA256", "checksumValue": sha256}]})
        self.packages[spdxid] = package
        self.relate("SPDXRef-DOCUMENT", "DESCRIBES", spdxid)
        package["packageVerificationCode"] = {"packageVerificationCodeValue": self.add_files(deb, spdxid)}
        self.add_needed(spdxid, fields, suite, System(root, fields["Architecture"]))

    def add_files(self, deb, owner):
        """Returns the code that SPDX 2.3 defines in 7.9.4."""
        sums = []
        for path, sha1, sha256 in contents(deb):
            spdxid = spdx_id("File", owner.removeprefix("SPDXRef-Package-"), sha256[:16],
                             path.removeprefix("./"))
            self.files.append({"SPDXID": spdxid, "fileName": path,
                               "licenseConcluded": UNKNOWN, "licenseInfoInFiles": [UNKNOWN],
                               "copyrightText": UNKNOWN,
                               "checksums": [{"algorithm": "SHA1", "checksumValue": sha1},
                                             {"algorithm": "SHA256", "checksumValue": sha256}]})
            self.relate(owner, "CONTAINS", spdxid)
            sums.append(sha1)
        return hashlib.sha1("".join(sorted(sums)).encode()).hexdigest()

    def add_needed(self, owner, fields, suite, system):
        """What it needs, and what that needs, as far as it is installed where it was built."""
        arch = owner.split("-")[3]
        for names in dependencies(fields):
            comment = f"one of: {', '.join(names)}" if len(names) > 1 else None
            known = [n for n in names if system.find(n)] if fields["Package"] != "printgate" else names
            for name in known or names:
                spdxid = spdx_id("Package", suite, arch, name)
                if spdxid not in self.packages:
                    found = system.find(name)
                    self.packages[spdxid] = self.needed(name, spdxid, found, suite)
                    if found:
                        self.add_needed(spdxid, found, suite, system)
                self.relate(owner, "DEPENDS_ON", spdxid, comment)

    def needed(self, name, spdxid, fields, suite):
        package = common(name, spdxid, fields, suite, "debian/")
        package["filesAnalyzed"] = False
        package["supplier"] = "Organization: Debian"
        if fields:
            package["sourceInfo"] = "Debian's source package " + fields.get("Source", name)
            if "Homepage" in fields:
                package["homepage"] = fields["Homepage"]
        return package

    def write(self, name, tree, seconds):
        body = {"packages": list(self.packages.values()), "files": self.files,
                "relationships": self.relations}
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        head = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
                "name": name, "documentNamespace": f"urn:printgate:sbom:{name}:{digest}",
                "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                                 "creators": ["Tool: printgate-packaging/sbom.py"],
                                 "comment": f"made from the sources that git names tree {tree}"}}
        json.dump({**head, **body}, sys.stdout, indent=1, ensure_ascii=False)
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("tree")
    parser.add_argument("seconds", type=int)
    parser.add_argument("packages", nargs="*", help="DEB SUITE ROOT, of each")
    given = parser.parse_args()
    document = Document()
    for i in range(0, len(given.packages), 3):
        document.add_ours(*given.packages[i:i + 3])
    document.write(given.name, given.tree, given.seconds)


if __name__ == "__main__":
    main()
