# limit: 900
# Pins that cannot be gone on with, that are not wanted any more, that have no room or no place. See docs/configuration.md, [pins].
# shellcheck disable=SC2034 # pins.lib takes them
bin=$DATA/bin w=$DATA/w state=$DATA/state
. /tests/pins.lib
mkdir -p "$w/keep"
echo old > "$w/keep/mode"

# --- what cannot be gone on with is replaced
configure a true '8 MiB' "$w/keep"
start a a4 || exit 1
stop KILL
configure a true '4 MiB' "$w/keep"
carol -c "echo more >> $w/keep/mode; exit"
start a a5 || exit 1
told a5 updated "$w/keep/mode" - pins.other-ring
check pins.other-ring-bounded has a5.out unwatched_since
check pins.other-ring-said has a5.err 'the ring is to have another size'
stop KILL

# --- nothing is left where it is switched off, nor after --unpin
configure a false '4 MiB' "$w/keep"
start a a6 || exit 1
check pins.off test "$(pinned)" = 0
stop KILL
configure a true '4 MiB' "$w/keep"
start a a7 || exit 1
stop TERM
check pins.on-again test "$(pinned)" -gt 20
fim run --unpin --config "$DATA/a.toml"
check pins.unpinned test "$(pinned)" = 0

# --- a full ring
mkdir "$TMP/many"
configure b true '4 KiB' "$TMP/many"
start b b1 || exit 1
stop KILL
i=0; while [ $i -lt 300 ]; do echo $i > "$TMP/many/$i"; i=$((i + 1)); done
start b b2 || exit 1
check pins.ring-gap has b2.out '"cause":"ring_full"'
check pins.ring-closed has b2.out '"gap_closed"'
check pins.ring-all test "$(grep -c '"action":"created"' "$DATA/b2.out")" = 300
stop TERM
fim run --unpin --config "$DATA/b.toml" > /dev/null

# --- no BPF file system: said, and gone on without
configure c true '4 MiB' "$w/keep"
umount /sys/fs/bpf
start c c1 || exit 1
check pins.no-bpffs has c1.out 'mount -t bpf bpf /sys/fs/bpf'
echo x >> "$w/keep/mode"
i=0; until grep -q "$w/keep/mode" "$DATA/c1.out" || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
check pins.no-bpffs-watches test $i -le 100
stop TERM
mount -t bpf none /sys/fs/bpf
