# The guest is what the other tests take for granted.
ok() { echo "ok $1"; }
fail() { echo "FAIL $1: $2"; }
check() { name=$1; shift; if "$@"; then ok "$name"; else fail "$name" "$*"; fi; }
writes() { echo x > "$1/file" && [ "$(cat "$1/file")" = x ] && rm "$1/file"; }
fs() { [ "$(stat -f -c %T "$1")" = "$2" ]; }

echo "kernel $(uname -r), LSMs $(cat /sys/kernel/security/lsm)"
check btf test -r /sys/kernel/btf/vmlinux
check tracing test -r /sys/kernel/tracing/available_filter_functions
check bpffs fs /sys/fs/bpf bpf_fs
check ext4-is-ext4 fs "$DATA" ext2/ext3
check ext4-writable writes "$DATA"
check tmpfs-is-tmpfs fs "$TMP" tmpfs
check tmpfs-writable writes "$TMP"
for tool in useradd sed git dpkg vim; do
	if command -v "$tool" > /dev/null; then ok "real-$tool"; else echo "skip real-$tool: not on the machine that runs the tests"; fi
done
if command -v fim > /dev/null; then check fim-starts fim --version; else echo "skip fim-starts: not built"; fi
