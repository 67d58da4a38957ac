# SPDX-License-Identifier: GPL-2.0-or-later
"""A release, made for this machine's architecture and signed with keys that are thrown away: it verifies,
and nothing that was changed about it does."""

import hashlib
import json
import os
import re
import shutil

import pytest

import deblab
from deblab import ROOT, out, run

VERSION = re.search(r'"(.*)"', open(os.path.join(ROOT, "common", "version.h")).read()).group(1)
NAME = f"printgate-{VERSION}"
SPDX_ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+\Z")


def git(clone, *words):
    return out("git", "-C", clone, "-c", "user.name=nobody", "-c", "user.email=nobody@packages.invalid",
               "-c", "commit.gpgsign=false", *words)


def commit(clone):
    git(clone, "add", "--all", "--force")
    git(clone, "commit", "-q", "-m", "a release")
    git(clone, "tag", "-f", "v" + VERSION)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with the sources as they lie here, under a heading and with a tag."""
    clone = str(tmp_path_factory.mktemp("clone") / "printgate")
    os.makedirs(clone)
    git(clone, "init", "-q")
    names = run("git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-co", "--exclude-standard",
                check=False).stdout.split("\n")
    if not any(names):  # from a tarball
        names = [n for n in os.listdir(ROOT) if not n.startswith((".git", "build"))]
    for name in filter(os.path.lexists, (os.path.join(ROOT, n) for n in names if n)):
        to = os.path.join(clone, os.path.relpath(name, ROOT))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        (shutil.copytree if os.path.isdir(name) else shutil.copy2)(name, to)
    path = os.path.join(clone, "CHANGELOG.md")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("## Unreleased", "## " + VERSION))
    commit(clone)
    return clone


def make(clone, build, check=True, **environment):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PRINTGATE_")}
    return run(os.path.join(clone, "packaging", "release.sh"), build, deblab.suite(),
               out("dpkg", "--print-architecture"), check=check, env={**kept, **environment})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two of minisign's pairs, and a home folder of gpg's with one."""
    there = tmp_path_factory.mktemp("keys")
    for name in ("ours", "other"):
        run("minisign", "-G", "-W", "-p", there / (name + ".pub"), "-s", there / (name + ".key"))
    home = there / "gpg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--quiet")
    for name in ("ours", "other"):
        run(*gpg, "--passphrase", "", "--quick-generate-key", f"{name}@packages.invalid", "ed25519", "sign")
        (there / (name + ".asc")).write_text(out(*gpg, "--armor", "--export", f"{name}@packages.invalid"))
    yield there
    run("gpgconf", "--homedir", home, "--kill", "all")


@pytest.fixture(scope="module")
def made(clone, keys, tmp_path_factory):
    """The release, signed with both."""
    said = make(clone, str(tmp_path_factory.mktemp("build")), GNUPGHOME=str(keys / "gpg"),
                PRINTGATE_MINISIGN_KEY=str(keys / "ours.key"),
                PRINTGATE_GPG_KEY="ours@packages.invalid").stdout
    return said.splitlines()[-1]


@pytest.fixture
def release(made, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made, tmp_path / NAME)


def verify(release, *words, script=None):
    script = script or os.path.join(release, "verify-release.sh")
    return run(script, *words, release, check=False)


def refused(release, *words, **options):
    """It is not accepted, in one sentence, which is returned."""
    done = verify(release, *words, **options)
    assert done.returncode == 1 and not done.stdout, done
    assert done.stderr.startswith("verify-release.sh: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def sum_up(release, keys):
    """Who has the key can sign anything: what is found even then."""
    names = sorted(n for n in os.listdir(release) if not n.startswith("SHA256SUMS"))
    with open(release / "SHA256SUMS", "w") as f:
        for name in names:
            f.write(f"{hashlib.sha256((release / name).read_bytes()).hexdigest()}  {name}\n")
    run("minisign", "-S", "-s", keys / "ours.key", "-m", release / "SHA256SUMS", "-x",
        release / "SHA256SUMS.minisig")


@pytest.mark.parametrize("key", ["ours.pub", "ours.asc"], ids=["minisign", "gpg"])
def test_a_good_release_verifies(release, keys, clone, key):
    done = verify(release, "--key", keys / key, "--repository", clone)
    assert done.returncode == 0 and not done.stderr, done
    head = git(clone, "rev-parse", "HEAD")
    assert done.stdout == f"printgate {VERSION} is good: 5 files, signed; commit {head}, as in {clone}\n"


def test_the_script_in_a_clone_compares_with_that_clone(release, keys, clone):
    script = os.path.join(clone, "packaging", "verify-release.sh")
    assert ", as in " in verify(release, "--key", keys / "ours.pub", script=script).stdout


def test_what_was_not_checked_is_said(release, keys):
    done = verify(release, "--unsigned")
    assert done.returncode == 0 and "--unsigned" in done.stdout and "--repository" in done.stdout
    assert "give --key FILE" in refused(release)


def test_it_is_all_there(made):
    deb = f"printgate_{VERSION}~deb"
    found = set(os.listdir(made))
    package, = (n for n in found if n.endswith(".deb"))
    assert package.startswith(deb)
    assert found == {NAME + ".tar.gz", NAME + ".spdx.json", package, "RELEASE", "verify-release.sh",
                     "SHA256SUMS", "SHA256SUMS.minisig", "SHA256SUMS.asc"}


def test_the_same_commit_gives_the_same_bits(made, clone, tmp_path):
    """In another folder, unsigned."""
    again = make(clone, str(tmp_path / "other"), UNSIGNED="yes").stdout.splitlines()[-1]
    for name in os.listdir(again):
        with open(os.path.join(again, name), "rb") as one, open(os.path.join(made, name), "rb") as two:
            assert one.read() == two.read(), name


@pytest.mark.parametrize("name", ["printgate-V.tar.gz", "printgate-V.spdx.json", "RELEASE",
                                  "verify-release.sh", "deb"])
def test_one_changed_byte_is_found(release, keys, clone, name):
    name = name.replace("V", VERSION)
    if name == "deb":
        name, = (n for n in os.listdir(release) if n.endswith(".deb"))
    data = bytearray((release / name).read_bytes())
    data[len(data) // 2] ^= 1
    (release / name).write_bytes(data)
    script = os.path.join(clone, "packaging", "verify-release.sh")
    said = refused(release, "--key", keys / "ours.pub", script=script)
    assert f"{name} is not the file that was released" in said


@pytest.mark.parametrize("key", ["ours.pub", "ours.asc"], ids=["minisign", "gpg"])
def test_a_changed_list_is_found(release, keys, key):
    with open(release / "RELEASE", "a") as f:
        f.write("\n")
    digest = hashlib.sha256((release / "RELEASE").read_bytes()).hexdigest()
    text = (release / "SHA256SUMS").read_text()
    (release / "SHA256SUMS").write_text(re.sub("^.*  RELEASE$", f"{digest}  RELEASE", text, flags=re.M))
    assert "not that of this key" in refused(release, "--key", keys / key)


@pytest.mark.parametrize("name", ["RELEASE", "printgate-V.tar.gz", "SHA256SUMS", "SHA256SUMS.minisig"])
def test_a_missing_file_is_found(release, keys, name):
    name = name.replace("V", VERSION)
    os.remove(release / name)
    assert f"{name} is missing" in refused(release, "--key", keys / "ours.pub")


@pytest.mark.parametrize("name", ["more.deb", ".hidden", "folder"])
def test_one_more_file_is_found(release, keys, name):
    if name == "folder":
        (release / name).mkdir()
    else:
        (release / name).write_text("more")
    assert f"{name} is not part of the release" in refused(release, "--key", keys / "ours.pub")


def test_a_link_is_no_file(release, keys, made):
    os.remove(release / "RELEASE")
    os.symlink(os.path.join(made, "RELEASE"), release / "RELEASE")
    assert "RELEASE is not a plain file" in refused(release, "--key", keys / "ours.pub")


@pytest.mark.parametrize("key", ["other.pub", "other.asc"], ids=["minisign", "gpg"])
def test_another_key_is_told_apart(release, keys, key):
    assert "not that of this key" in refused(release, "--key", keys / key)


def test_what_is_no_key_is_told_apart(release, keys):
    assert "is neither" in refused(release, "--key", release / "RELEASE")
    assert "there is no file" in refused(release, "--key", keys / "nowhere")


def test_a_list_that_leads_elsewhere_is_refused(release, keys):
    with open(release / "SHA256SUMS", "a") as f:
        f.write("0" * 64 + "  ../../etc/passwd\n")
    assert "none of a checksum and a name" in refused(release, "--unsigned")


def test_a_tarball_that_is_not_the_commit_is_found(release, keys, tmp_path):
    """Even if it is signed."""
    tarball = release / (NAME + ".tar.gz")
    run("tar", "-x", "-C", tmp_path / NAME / "..", "-f", tarball, "--one-top-level=unpacked")
    with open(tmp_path / "unpacked" / NAME / "daemon" / "priv" / "main.c", "a") as f:
        f.write("/* one more line */\n")
    run("tar", "-c", "-z", "-C", tmp_path / "unpacked", "-f", tarball, NAME)
    sum_up(release, keys)
    assert "its content differs" in refused(release, "--key", keys / "ours.pub")


def test_a_release_that_is_not_the_tag_is_found(release, keys, clone, tmp_path):
    """The tag is of something else in the repository."""
    there = str(tmp_path / "clone")
    run("git", "clone", "-q", clone, there)
    with open(os.path.join(there, "README.md"), "a") as f:
        f.write("more\n")
    commit(there)
    assert f"v{VERSION} is commit" in refused(release, "--key", keys / "ours.pub", "--repository", there)
    git(there, "tag", "-d", "v" + VERSION)
    assert "does not know" in refused(release, "--key", keys / "ours.pub", "--repository", there)


def test_without_a_key_nothing_is_made(clone, tmp_path):
    done = make(clone, str(tmp_path), check=False)
    assert done.returncode == 1 and "there is no key to sign with" in done.stderr
    assert not os.path.exists(tmp_path / "release")
    done = make(clone, str(tmp_path), check=False, PRINTGATE_MINISIGN_KEY="/nowhere")
    assert done.returncode == 1 and "there is no file /nowhere" in done.stderr
    done = make(clone, str(tmp_path), check=False, PRINTGATE_GPG_KEY="nobody@nowhere.invalid",
                GNUPGHOME=str(tmp_path))
    assert done.returncode == 1 and "gpg has no secret key" in done.stderr


def test_what_is_not_committed_is_not_released(clone, tmp_path):
    there = str(tmp_path / "clone")
    run("git", "clone", "-q", clone, there)
    with open(os.path.join(there, "README.md"), "a") as f:
        f.write("more\n")
    done = make(there, str(tmp_path / "build"), check=False, UNSIGNED="yes")
    assert done.returncode == 1 and "commit these changes first" in done.stderr


# ---- the list of what is in it: https://spdx.github.io/spdx-spec/v2.3/ ------------------------------


@pytest.fixture(scope="module")
def sbom(made):
    with open(os.path.join(made, NAME + ".spdx.json")) as f:
        return json.load(f)


def test_the_sbom_is_spdx(sbom):
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    assert sbom["SPDXID"] == "SPDXRef-DOCUMENT" and sbom["name"] == NAME
    assert re.match(r"urn:[a-z]+:[^#\s]+\Z", sbom["documentNamespace"])
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", sbom["creationInfo"]["created"])
    assert all(re.match("(Tool|Organization|Person): .", c) for c in sbom["creationInfo"]["creators"])
    ids = [e["SPDXID"] for e in [sbom, *sbom["packages"], *sbom["files"]]]
    assert len(ids) == len(set(ids)) and all(map(SPDX_ID.match, ids))
    for package in sbom["packages"]:
        assert package["name"] and package["downloadLocation"] and "licenseConcluded" in package
        assert package["filesAnalyzed"] == ("packageVerificationCode" in package)
        for reference in package.get("externalRefs", []):
            assert reference["referenceCategory"] == "PACKAGE-MANAGER"
            assert re.match(r"pkg:deb/[a-z0-9/.+-]+@[^/?@]+\?", reference["referenceLocator"])
    for file in sbom["files"]:
        assert file["fileName"].startswith("./")
        sums = {c["algorithm"]: c["checksumValue"] for c in file["checksums"]}
        assert re.match("[0-9a-f]{40}$", sums["SHA1"]) and re.match("[0-9a-f]{64}$", sums["SHA256"])
    for relation in sbom["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(ids)
        assert relation["relationshipType"] in ("DESCRIBES", "CONTAINS", "DEPENDS_ON")


def test_the_sbom_tells_what_dpkg_tells(sbom, made):
    deb, = (os.path.join(made, n) for n in os.listdir(made) if n.endswith(".deb"))
    packages = {p["SPDXID"]: p for p in sbom["packages"]}
    ours, = (r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "DESCRIBES")
    assert packages[ours]["versionInfo"] == deblab.field(deb, "Version")
    with open(deb, "rb") as f:
        assert packages[ours]["checksums"][0]["checksumValue"] == hashlib.sha256(f.read()).hexdigest()
    needed = {r["relatedSpdxElement"] for r in sbom["relationships"]
              if r["relationshipType"] == "DEPENDS_ON" and r["spdxElementId"] == ours}
    told = {re.split(r"[ (]", d.strip())[0] for d in re.split("[,|]", deblab.field(deb, "Depends"))}
    assert {packages[n]["name"] for n in needed} == told
    for package in packages.values():
        if package["SPDXID"] != ours and "versionInfo" in package:
            assert package["versionInfo"] == out("dpkg-query", "-W", "-f", "${Version}",
                                                 package["name"]).split("\n")[0]
    held = {l.split(maxsplit=5)[5] for l in out("dpkg-deb", "-c", deb).splitlines() if l[0] == "-"}
    assert {f["fileName"] for f in sbom["files"]} == held
    verification = hashlib.sha1("".join(sorted(f["checksums"][0]["checksumValue"]
                                               for f in sbom["files"])).encode()).hexdigest()
    assert packages[ours]["packageVerificationCode"]["packageVerificationCodeValue"] == verification
