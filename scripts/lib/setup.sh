#!/bin/bash
# Installs, with apt, what a fresh Debian 12, Debian 13 or Ubuntu machine lacks. Does nothing, quickly, when all is there.
#   sourced:  setup build | setup test | setup bench     test: also what the kernel tests need (QEMU, busybox ...); bench: and peers
#   run:      sudo bash scripts/lib/setup.sh build|test|bench      the packages only, for when the scripts run without root
# shellcheck source=scripts/lib/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"
PATH=$PATH:/usr/sbin:/sbin:${CARGO_HOME:-$HOME/.cargo}/bin

# the first column is the package, the rest a test for what it brings
build_needs='
clang            command -v clang
gcc              command -v gcc
libc6-dev        test -e /usr/include/stdlib.h
make             command -v make
pkg-config       command -v pkg-config
libelf-dev       test -e /usr/include/gelf.h
zlib1g-dev       test -e /usr/include/zlib.h
ca-certificates  test -e /etc/ssl/certs/ca-certificates.crt'
test_needs='
busybox-static   static_busybox
cpio             command -v cpio
xz-utils         command -v xz
zstd             command -v zstd
e2fsprogs        command -v mke2fs
btrfs-progs      command -v mkfs.btrfs
xfsprogs         command -v mkfs.xfs
shellcheck       command -v shellcheck
b3sum            command -v b3sum
git              command -v git
attr             command -v setfattr
acl              command -v setfacl
passwd           command -v useradd
sudo             command -v visudo
openssh-server   test -x /usr/sbin/sshd
openssh-client   command -v ssh-copy-id
rpm              command -v rpmbuild
vim-tiny         command -v vim || command -v vim.tiny
nano             command -v nano
bsdutils         command -v script
graphite-carbon  command -v carbon-cache
prometheus       command -v promtool
debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg'
bench_needs='
auditd           test -x /usr/sbin/auditd
inotify-tools    command -v inotifywait
aide             command -v aide
findutils        command -v xargs'

static_busybox() { command -v busybox && ! ldd "$(command -v busybox)"; }
qemu_major() { qemu-system-x86_64 --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p'; }

setup_packages() {
	local what=$1 package check missing=() qemu='' dir os policy='' failed=''
	while read -r package check; do
		[ -z "$package" ] || eval "$check" >/dev/null 2>&1 || missing+=("$package")
	done <<<"$build_needs$([ "$what" = build ] || echo "$test_needs")$([ "$what" != bench ] || echo "$bench_needs")"
	# shellcheck disable=SC1091
	os=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	if [ "$what" != build ] && [ "$(uname -m)" = x86_64 ]; then
		# QEMU before 10 loses boots now and then; bookworm has it in its backports
		if [ "$os" = bookworm ] && [ "0$(qemu_major)" -lt 10 ]; then qemu=bookworm-backports
		elif [ -z "$(qemu_major)" ]; then missing+=(qemu-system-x86); fi
	fi
	[ ${#missing[@]} -gt 0 ] || [ -n "$qemu" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "missing here: ${missing[*]} ${qemu:+qemu-system-x86 (from $qemu)}" >&2
		echo "type:  sudo bash scripts/lib/setup.sh $what" >&2
		exit 2
	fi
	command -v apt-get >/dev/null || { echo "no apt-get on this machine; install by hand: ${missing[*]} ${qemu:+QEMU 10}" >&2; exit 2; }
	export DEBIAN_FRONTEND=noninteractive
	if [ ${#missing[@]} -gt 0 ]; then
		echo "setup: installing ${missing[*]}" >&2
		apt-get -qq update >&2 || true
		# the tests start what they need themselves: no package may start its service here
		if [ ! -e /usr/sbin/policy-rc.d ]; then
			policy=/usr/sbin/policy-rc.d
			printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
		fi
		apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null </dev/null || failed=1
		[ -z "$policy" ] || rm -f "$policy"
		[ -z "$failed" ] || { echo "setup: could not install ${missing[*]} (no network? no such package?)" >&2; exit 2; }
	fi
	if [ -n "$qemu" ]; then
		echo "setup: installing qemu-system-x86 from $qemu" >&2
		dir=$(mktemp -d)
		if ! { private_apt "$dir" bookworm "$qemu" && apt-get "${apt_opts[@]}" update >&2 &&
			apt-get "${apt_opts[@]}" install -y --no-install-recommends -t "$qemu" qemu-system-x86 >/dev/null </dev/null; }; then
			rm -rf "$dir"; echo "setup: could not install qemu-system-x86 from $qemu (no network?)" >&2; exit 2
		fi
		rm -rf "$dir"
	fi
}

# a working cargo, with rustup's default toolchain if it has none yet
setup_rust() {
	cargo --version >/dev/null 2>&1 && return
	if ! command -v rustup >/dev/null && [ "$(id -u)" = 0 ]; then apt-get -qq install -y rustup >/dev/null 2>&1 </dev/null || true; fi
	if command -v rustup >/dev/null; then
		rustup default stable >&2 && cargo --version >/dev/null && return
		echo "rustup could not fetch a toolchain (no network?). Type:  rustup default stable" >&2
		exit 2
	fi
	echo "no Rust toolchain. Type:" >&2
	if apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [^(]'; then echo "  sudo apt-get install rustup && rustup default stable" >&2
	else echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2; fi
	exit 2
}

setup() {
	setup_packages "$1"
	setup_rust
	[ "$1" = build ] || [ "0$(qemu_major)" -ge 10 ] || echo "setup: QEMU $(qemu_major) is older than 10: expect lost boots, which are tried again" >&2
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	setup_packages "${1:?build, test or bench}"
fi
