# Set-up that the scripts share; to be sourced by bash. Each function does nothing, quickly, where
# there is nothing to do, and says what it does where that takes a while.
#
#   ensure_venv         .venv with this project (editable) and its development tools
#   ensure_real_tools   what tests on real engines need, where it may be installed
#   ensure_debootstrap  what building trees with engines of other versions needs, likewise

# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$ROOT/.venv
_OURS="placed by swarm-monitor while it installs packages"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[1;33m==> %s\033[0m\n' "$*" >&2; }
die() {
    printf '\033[1;31m==> %s\033[0m\n' "$*" >&2
    exit 1
}

_have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }
_may_install() { [ "$(id -u)" = 0 ] && _have apt-get; }

# --- Python -------------------------------------------------------------------------------------

_python_fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

_find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if _python_fits "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

_ensure_python() {
    local package
    PYTHON=$(_find_python) && return
    if _may_install; then
        for package in python3 python3.13 python3.12 python3.11; do
            _apt_install "$package" "$package-venv" && PYTHON=$(_find_python) && return
        done
    fi
    die "Python 3.11 or newer is needed and was not found; install one (python3.11, python3.12, ...)"
}

# Debian and Ubuntu keep what venv needs in packages of its own.
_ensure_venv_module() {
    local version
    "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1 && return
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    _may_install || die "this Python cannot make a venv; install python$version-venv"
    _apt_install "python$version-venv" || _apt_install python3-venv ||
        die "python$version-venv could not be installed"
}

ensure_venv() {
    local stamp wanted
    stamp=$VENV/.installed
    if ! { [ -x "$VENV/bin/python" ] && _python_fits "$VENV/bin/python"; }; then
        _ensure_python
        _ensure_venv_module
        say "making .venv with $("$PYTHON" --version)"
        "$PYTHON" -m venv --clear "$VENV" || die "the venv could not be made"
    fi
    wanted="$(sha256sum <"$ROOT/pyproject.toml") $("$VENV/bin/python" --version) $ROOT"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "installing the project and its development tools into .venv (a minute the first time)"
        (cd "$ROOT" && "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
            --editable '.[dev]') || die "pip could not install what pyproject.toml asks for"
        printf '%s\n' "$wanted" >"$stamp"
    fi
}

# --- Tools for real engines ---------------------------------------------------------------------

_is_static() { [ -x "$1" ] && ! head -c 4096 "$1" | grep -q '/ld-'; }
_have_static_busybox() {
    _is_static /bin/busybox || _is_static /usr/bin/busybox || _is_static "$VENV/bin/busybox-static"
}
_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
_known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# Prints the packages that are missing, one a line. Never an engine beside another one.
_missing_packages() {
    local other
    if ! _have dockerd; then
        for other in docker-ce docker-ce-cli containerd.io podman-docker moby-engine; do
            if _installed "$other"; then
                warn "$other is installed here: docker.io is not put beside it"
                other=found
                break
            fi
        done
        if [ "$other" != found ]; then
            echo docker.io
            # Where the kernel has AppArmor an engine needs its parser to start any container.
            grep -qs Y /sys/module/apparmor/parameters/enabled &&
                ! _have apparmor_parser && echo apparmor
        fi
    fi
    _have iptables || echo iptables
    _have ip || echo iproute2
    _have_static_busybox || echo busybox-static
    _have promtool || echo prometheus
}

ensure_real_tools() {
    local packages lock
    [ "$(uname -s)" = Linux ] || return 0
    mapfile -t packages < <(_missing_packages)
    if [ ${#packages[@]} = 0 ] && _have docker; then return 0; fi
    if ! _may_install; then
        warn "for tests on real engines these are missing: ${packages[*]} (root on Debian or Ubuntu" \
            "would have them installed here)"
        return 0
    fi
    lock=/tmp/swarm-monitor-setup.lock
    {
        flock 9
        _install_real_tools
    } 9>"$lock"
}

ensure_debootstrap() {
    if _have debootstrap && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then return 0; fi
    if ! _may_install; then
        warn "debootstrap and debian-archive-keyring are missing: no engines of other versions"
        return 0
    fi
    _apt_install debootstrap debian-archive-keyring || warn "apt could not install debootstrap"
}

_install_real_tools() {
    local packages rest=() package
    mapfile -t packages < <(_missing_packages)
    for package in "${packages[@]}"; do
        # busybox-static would take the place of busybox: then it is only unpacked.
        if [ "$package" = busybox-static ] && _installed busybox; then
            _unpack_busybox || warn "busybox-static could not be had"
        else
            rest+=("$package")
        fi
    done
    if [ ${#rest[@]} != 0 ]; then
        _apt_install "${rest[@]}" || warn "apt could not install: ${rest[*]}"
    fi
    # From Debian 13 on the client is a package of its own.
    if _have dockerd && ! _have docker && _known docker-cli; then
        _apt_install docker-cli || warn "apt could not install docker-cli"
    fi
}

_unpack_busybox() (
    set -e
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cd "$folder"
    chmod 755 .
    _known busybox-static || _apt_update
    say "unpacking busybox-static into .venv"
    apt-get download -qq busybox-static >/dev/null
    dpkg-deb --extract busybox-static_*.deb .
    for file in bin/busybox usr/bin/busybox; do
        if [ -x "$file" ]; then install -m 755 "$file" "$VENV/bin/busybox-static"; fi
    done
    _have_static_busybox
)

# --- apt ----------------------------------------------------------------------------------------

_apt_update() {
    say "apt-get update"
    apt-get update -qq -o DPkg::Lock::Timeout=300 </dev/null >&2
}

# Installs packages without starting a service, now or at the next boot.
_apt_install() (
    local policy=/usr/sbin/policy-rc.d package before
    for package in "$@"; do
        if ! _known "$package"; then
            _apt_update || true
            break
        fi
    done
    before=$(_units)
    if [ -e "$policy" ] && ! grep -qs "$_OURS" "$policy"; then
        # Someone else's: it stays, and must forbid starts as ours would.
        for package in docker containerd prometheus; do
            if "$policy" "$package" start >/dev/null 2>&1 || [ $? != 101 ]; then
                warn "$policy lets services start: $* not installed"
                return 1
            fi
        done
    else
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\n# %s\nexit 101\n' "$_OURS" >"$policy"
        chmod 755 "$policy"
    fi
    say "installing with apt: $*"
    export DEBIAN_FRONTEND=noninteractive
    _apt_get_install "$@" || { _apt_update && _apt_get_install "$@"; } || return 1
    _keep_off "$before"
)

_apt_get_install() {
    apt-get install --yes --quiet=2 --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

_units() {
    find /lib/systemd/system /usr/lib/systemd/system -maxdepth 1 \
        \( -name 'docker.*' -o -name 'containerd.*' -o -name 'prometheus*.service' \) 2>/dev/null |
        sed 's|.*/||' | sort -u
}

# A policy forbids the start now, not the one at the next boot: new units are switched off.
_keep_off() {
    local unit
    for unit in $(comm -13 <(printf '%s\n' "$1") <(_units)); do
        if _have systemctl; then
            systemctl disable --quiet "$unit" >/dev/null 2>&1 || true
            if systemctl is-active --quiet "$unit" 2>/dev/null; then systemctl stop "$unit"; fi
        else # systemd may come later
            find /etc/systemd/system -type l -name "$unit" -delete 2>/dev/null || true
            if [ -e "/etc/init.d/${unit%.*}" ]; then
                update-rc.d "${unit%.*}" disable >/dev/null 2>&1 || true
            fi
        fi
    done
}
