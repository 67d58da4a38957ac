# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in packaging/image, run the way each builder runs it: its environment, its order, its chroot.
The builders themselves are stood in for by as little as their contracts need; the system, the package
and what the scripts do are real."""

import os
import re
import shutil
import subprocess

import deblab
import pytest

IMAGE = os.path.join(deblab.ROOT, "packaging", "image")
# What the scripts of CustomPiOS and CustoPiZer find beside them.
COMMON = """function install_cleanup_trap() { trap 'exit 1' SIGINT SIGTERM; }
function unpack() { cp -v -r --preserve=mode,timestamps "$1"/. "$2"; }
function systemctl_if_exists() { if hash systemctl 2>/dev/null; then systemctl "$@"; fi; }
"""
ALWAYS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
          "DEBIAN_FRONTEND": "noninteractive"}


def chroot(root, *command, check=True, script=None, **environment):
    """Runs it in the image, with memory on /tmp and /run as pi-gen has it, and nothing running."""
    prepare = ('mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/tmp" && mount -t tmpfs tmpfs "$0/run" '
               '&& exec capsh --drop=cap_setfcap -- -c \'exec chroot "$0" "$@"\' "$0" "$@"')
    return deblab.run("unshare", "--mount", "sh", "-c", prepare, root, *command, check=check,
                      env={**ALWAYS, **environment}, input=script)


def copy(what, where):
    os.makedirs(os.path.dirname(where), exist_ok=True)
    shutil.copytree(os.path.join(IMAGE, what), where, dirs_exist_ok=True)


def put(root, path, text, mode=0o644):
    path = root + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


# ---- each builder --------------------------------------------------------------------------------


def pi_gen(root, deb, tmp_path, check):
    """Per number: NN-run.sh on the host, NN-run-chroot.sh piped into a shell of the chroot."""
    copy("pi-gen/stage-printgate", str(tmp_path / "stage"))
    assert os.access(tmp_path / "stage" / "prerun.sh", os.X_OK)
    with open(tmp_path / "stage" / "EXPORT_IMAGE") as f:
        assert re.fullmatch(r'IMG_SUFFIX="[a-z-]+"\n', f.read())
    step = tmp_path / "stage" / "00-install"
    shutil.copy(deb, step / "files" / os.path.basename(deb))
    deblab.run(str(step / "00-run.sh"), cwd=step, env={**ALWAYS, "ROOTFS_DIR": root, "STAGE_DIR": str(step.parent)})
    with open(step / "00-run-chroot.sh") as f:
        return chroot(root, "bash", "-e", script=f.read(), check=check)


def custompios(root, deb, _tmp_path, check):
    """Start scripts, then end scripts; the module's filesystem is /filesystem; config is sourced."""
    copy("custompios/printgate/filesystem", root + "/filesystem")
    shutil.copy(deb, root + "/filesystem/root/var/cache/printgate/" + os.path.basename(deb))
    put(root, "/common.sh", COMMON)
    with open(os.path.join(IMAGE, "custompios/printgate/config")) as f:
        put(root, "/chroot_config", f.read())
    for name in ("start", "end"):
        shutil.copy(os.path.join(IMAGE, "custompios/printgate", f"{name}_chroot_script"), root + "/chroot_script")
        done = chroot(root, "bash", "-c", "set -a; . /chroot_config; set +a; exec /chroot_script",
                      check=check or name == "start", BASE_BOOT_MOUNT_PATH="boot/firmware", BASE_USER="pi")
    shutil.rmtree(root + "/filesystem")
    return done


def custopizer(root, deb, _tmp_path, check):
    """Scripts by name, with /files and /common.sh."""
    copy("custopizer/files", root + "/files")
    shutil.copy(deb, root + "/files/printgate/" + os.path.basename(deb))
    put(root, "/common.sh", COMMON)
    shutil.copy(os.path.join(IMAGE, "custopizer/50-printgate"), root + "/50-printgate")
    done = chroot(root, "/50-printgate", check=check, BOOT_PATH="/boot/firmware")
    shutil.rmtree(root + "/files")
    return done


SDM = """function plugin_getargs() { for one in ${2//|/ }; do declare -g "${one%%=*}=${one#*=}"; done; [ -n "$deb" ]; }
function logtoboth() { echo "$1"; }
"""


def sdm(root, deb, tmp_path, check):
    """0 on the host, 1 and post-install in the image."""
    put(root, "/etc/sdm/sdm-readparams", SDM)
    plugin = os.path.join(IMAGE, "sdm/printgate")
    deblab.run(plugin, "0", f"deb={deb}", env={**ALWAYS, "SDMPT": root})
    shutil.copy(plugin, root + "/printgate-plugin")
    chroot(root, "/printgate-plugin", "1", f"deb={deb}")
    return chroot(root, "/printgate-plugin", "post-install", f"deb={deb}", check=check)


def mkosi(root, deb, _tmp_path, check):
    """It installs what Packages= names, then runs the script in the image."""
    with open(os.path.join(IMAGE, "mkosi/printgate.conf")) as f:
        assert "Packages=printgate" in f.read().splitlines()
    shutil.copy(deb, root + "/printgate.deb")
    chroot(root, "apt-get", "install", "-y", "--no-install-recommends", "/printgate.deb")
    os.unlink(root + "/printgate.deb")
    shutil.copy(os.path.join(IMAGE, "mkosi/printgate.chroot"), root + "/script")
    return chroot(root, "/script", "final", check=check)


def mmdebstrap(root, deb, _tmp_path, check):
    """The hook, with the root as its argument, when the packages are in."""
    shutil.copy(deb, root + "/printgate.deb")
    chroot(root, "apt-get", "install", "-y", "--no-install-recommends", "/printgate.deb")
    os.unlink(root + "/printgate.deb")
    return deblab.run(os.path.join(IMAGE, "mmdebstrap/customize90-printgate"), root, check=check, env=ALWAYS)


def rpi_image_gen(root, deb, tmp_path, check):
    """The layer's hooks one after the other, $1 being the root."""
    with open(os.path.join(IMAGE, "rpi-image-gen/layer/printgate.yaml")) as f:
        text = f.read()
    for word in ("METABEGIN", "METAEND", "X-Env-Layer-Name: printgate", "X-Env-VarPrefix: printgate"):
        assert word in text
    hooks = re.findall(r"^    - (.*)$", text.split("customize-hooks:")[1], re.M)
    assert len(hooks) == 8
    put(str(tmp_path), "/hooks/enable-units", '#!/bin/sh\nexec systemctl --root="$1" enable "$2"\n', 0o755)
    for hook in hooks:
        done = deblab.run("sh", "-ec", hook, "sh", root, check=check or hook is not hooks[-1],
                          env={**ALWAYS, "IGconf_printgate_deb": deb, "BDEBSTRAP_HOOKS": str(tmp_path / "hooks")})
    return done


BUILDERS = [pi_gen, custompios, custopizer, sdm, mkosi, mmdebstrap, rpi_image_gen]


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_the_builder_s_image_has_it_and_no_state(root, deb, tmp_path, builder):
    put(root, "/etc/machine-id", "uninitialized\n")
    os.makedirs(root + "/boot/firmware", exist_ok=True)
    builder(root, deb, tmp_path, True)
    assert not os.path.exists(root + "/var/lib/printgate")
    wants = root + "/etc/systemd/system/multi-user.target.wants/"
    assert all(os.path.islink(wants + u) for u in ("printgate.service", "printgate-firstboot.service"))
    assert os.path.islink(root + "/etc/systemd/system/sockets.target.wants/printgate-clock.socket")
    with open(root + "/boot/firmware/printgate.conf.example", newline="") as f:
        text = f.read()
    assert text.count("\r\n") == text.count("\n") > 10
    assert not os.path.exists(root + "/boot/firmware/printgate.conf")
    assert not os.path.exists(root + "/var/cache/printgate")
    deblab.run("chroot", root, "printgate", "image-check", "/")


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_a_key_in_the_image_ends_the_build(root, deb, tmp_path, builder):
    put(root, "/var/lib/printgate/net/gateway.key", "x" * 44)
    os.makedirs(root + "/boot/firmware", exist_ok=True)
    done = builder(root, deb, tmp_path, False)
    assert done.returncode != 0 and "var/lib/printgate/net is in the image" in done.stdout.replace("\n", " ")


def test_the_example_and_cloud_init_s_are_good(root, deb):
    """As somebody who only fills in what is asked for would use them."""
    shutil.copy(deb, root + "/printgate.deb")
    chroot(root, "apt-get", "install", "-y", "--no-install-recommends", "/printgate.deb")
    shutil.copy(root + "/usr/share/printgate/boot.conf", root + "/root/printgate.conf")
    assert "good" in chroot(root, "printgate", "provision", "--check", "/root/printgate.conf").stdout
    with open(os.path.join(IMAGE, "cloud-init/user-data.example")) as f:
        text = f.read()
    assert text.startswith("#cloud-config\n")
    lines = text.split("content: |\n")[1].split("runcmd:")[0].splitlines()
    put(root, "/root/settings.conf", "\n".join(l.strip() for l in lines) + "\n")
    assert "good" in chroot(root, "printgate", "provision", "--check", "/root/settings.conf").stdout
