# SPDX-License-Identifier: BSD-3-Clause
# What ./setup, ./test and .ci/run share: packages, configuration, compilation. Sourced from the
# root of the tree, by any POSIX shell.
# shellcheck shell=sh

# shellcheck disable=SC2034 # for those who source this
PACKAGES="gcc libc6-dev pkg-config meson ninja-build libglib2.0-dev libjson-glib-dev libfftw3-dev
libopenblas-dev libnifti-dev libisal-dev nettle-dev zlib1g-dev libsndfile1-dev libmatio-dev libcmocka-dev gnuplot-nox scdoc
python3-numpy"

say()
{
    printf '==> %s\n' "$*"
}

# Those of the given Debian packages that are not installed.
missing_packages()
{
    for package; do
        case $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>&1) in
        installed) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "root is needed for '$*', and there is no sudo"
        return 1
    fi
}

apt_get()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# Installs what is missing of the given packages; asks nothing.
install_packages()
{
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "no apt here: packages like these must be there already: $*"
        return 0
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        say "packages: all there"
        return 0
    fi
    say "packages: installing $missing"
    apt_get update
    # shellcheck disable=SC2086 # a list
    apt_get install --no-install-recommends $missing
}

# configure FOLDER [MESON-OPTION...]: sets up a build folder, or gives new options to an old one.
configure()
{
    folder=$1
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        say "meson setup $folder${*:+ $*}"
        meson setup "$folder" "$@"
    elif [ $# -gt 0 ]; then
        say "meson setup --reconfigure $folder $*"
        meson setup --reconfigure "$folder" "$@"
    fi
}

# compile FOLDER [TARGET]: all of it, or what that target needs.
compile()
{
    say "compiling${2:+ $2} in $1"
    meson compile -C "$1" ${2:+"$2"}
}
