# SPDX-License-Identifier: GPL-2.0-or-later
"""Installed into an image under construction, the way pi-gen does it: no service manager, memory on
/tmp and /run, no CAP_SETFCAP, and the build machine's network."""

import os
import shutil

import deblab

DEB = "/var/cache/printgate/printgate.deb"


def inside(root, command):
    """A shell command in the system, in a mount namespace that ends with it."""
    script = f"""
        mount -t proc proc "{root}/proc" && mount -t tmpfs tmpfs "{root}/tmp" &&
        mount -t tmpfs tmpfs "{root}/run" &&
        exec capsh --drop=cap_setfcap -- -c 'exec chroot "$1" sh -ec "$2"' sh "$1" "$2"
    """
    return deblab.run("unshare", "--mount", "sh", "-c", script, "sh", root, command,
                      env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                           "DEBIAN_FRONTEND": "noninteractive"})


def install(root, deb):
    os.makedirs(root + os.path.dirname(DEB), exist_ok=True)
    shutil.copy(deb, root + DEB)
    inside(root, f"apt-get install -y --no-install-recommends {DEB} && rm -r /var/cache/printgate")


def everything(root):
    """Each path with what would tell a change."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            found[path.removeprefix(root)] = (st.st_mode, st.st_uid, st.st_size, st.st_mtime_ns)
    return found


MAY_CHANGE = ("/var/lib/dpkg", "/var/lib/apt", "/var/log", "/var/cache", "/etc/passwd", "/etc/group",
              "/etc/shadow", "/etc/gshadow", "/etc/.pwd.lock", "/etc/ld.so.cache",
              "/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/sockets.target.wants",
              "/var/lib/systemd/deb-systemd-helper-enabled")


def test_an_image_gets_the_files_and_nothing_else(root, deb, newer):
    before = everything(root)
    install(root, deb)
    ours = set(deblab.out("chroot", root, "dpkg", "-L", "printgate").splitlines())
    after = everything(root)
    changed = {p for p, what in after.items() if before.get(p) != what and p not in ours}
    # Folders change with what comes into them.
    changed -= {p for p in changed if p in before and os.path.isdir(root + p)}
    # Where usr is merged, dpkg names the link.
    changed = {p for p in changed if p.removeprefix("/usr") not in ours}
    assert not [p for p in changed if not p.startswith(MAY_CHANGE)], sorted(changed)
    assert not os.path.exists(root + "/var/lib/printgate")
    assert not os.path.exists(root + "/etc/printgate")
    assert os.path.islink(root + "/etc/systemd/system/multi-user.target.wants/printgate.service")
    with open(root + "/etc/passwd") as f:
        names = {l.split(":")[0] for l in f}
    assert {"_printgate", "_printgate-net", "_printgate-web", "_printgate-tls"} <= names
    assert not deblab.out("getcap", "-r", root + "/usr/bin", root + "/usr/sbin")

    # Whatever happens to the package here, the network of the build machine is left alone.
    for program in ("/usr/sbin/printgated", "/usr/bin/printgate"):
        with open(root + program, "w") as f:
            f.write("#!/bin/sh\necho $0 $* >>/started\n")
    install(root, newer)
    with open(root + "/usr/sbin/printgated", "w") as f:
        f.write("#!/bin/sh\necho $0 $* >>/started\n")
    inside(root, "apt-get remove -y printgate")
    inside(root, "apt-get purge -y printgate")
    assert not os.path.exists(root + "/started")
    left = set(everything(root)) - set(before)
    assert not [p for p in left if not p.startswith(MAY_CHANGE)], sorted(left)
    assert not [p for p in left if "printgate" in p and p.startswith("/etc")], sorted(left)
