# shellcheck shell=bash
# Sourced. apt with a source list, package lists and cache of its own, so that other suites of the machine's own
# Debian mirror can be read without touching what the machine has set up.

# debian_mirror: the Debian mirror this machine uses, or $FIM_DEBIAN_MIRROR (needed on Ubuntu, for the kernels)
debian_mirror() {
	local all
	if [ -n "${FIM_DEBIAN_MIRROR:-}" ]; then echo "$FIM_DEBIAN_MIRROR"; return; fi
	all=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null) || true
	all=$(grep -E '^(URIs:|deb )' <<<"$all" | grep -oE '[a-z+]+:/[^ ]*/debian/?( |$)' | tr -d ' ') || return 1
	echo "${all%%$'\n'*}"
}

# private_apt DIR SUITE...: write DIR/sources.list for these suites and set $apt_opts to use it
private_apt() {
	local dir=$1 mirror suite keys=/usr/share/keyrings/debian-archive-keyring.gpg
	shift
	mirror=$(debian_mirror) || { echo "no Debian mirror in this machine's apt sources (FIM_DEBIAN_MIRROR names one)" >&2; return 1; }
	[ -e $keys ] || { echo "no $keys (package debian-archive-keyring)" >&2; return 1; }
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	for suite; do echo "deb [signed-by=$keys] $mirror $suite main"; done > "$dir/sources.list"
	# shellcheck disable=SC2034  # for the caller
	apt_opts=(-qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$dir/lists"
		-o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2 -o APT::Update::Error-Mode=any)
}
