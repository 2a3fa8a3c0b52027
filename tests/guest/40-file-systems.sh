# limit: 600
# modules: loop overlay btrfs xfs nfsd nfsv4
# Whose file it was: identity on file systems that number their files in ways of their own, or show those of others. For
# each watcher one agent that watches all of them; who changes a file is a shell named for it. With BPF each line and who
# it names is checked, with fanotify what is told at last: some of these take no marks, which it says, and compares.
bin=$DATA/bin B=/mnt/btrfs X=/mnt/xfs N=/mnt/nfs
mkdir -p "$bin" $B $X $N "$DATA/export"
for name in alice bob carol dave erin; do cp /bin/sh "$bin/$name"; done
PATH=$bin:$PATH
trap 'cp "$DATA"/*.out "$DATA"/*.err "/out/${DATA##*/}/"' EXIT

by() { "$1" -c "$2; exit"; } # NAME COMMAND
missing() { # TYPE [TOOL]
	if ! grep -qw "$1" /proc/filesystems; then echo "skip file-systems.$1: this kernel has no module $1"
	elif [ -n "${2:-}" ] && ! command -v "$2" > /dev/null; then echo "skip file-systems.$1: no $2 on the machine that runs the tests"
	else return 1; fi
}
image() { # TYPE SIZE AT MKFS...: a sparse image of this size, mounted
	type=$1 size=$2 at=$3; shift 3
	if missing "$type" "$1"; then return 1; fi
	truncate -s "$size" "$TMP/$type.img"
	if "$@" "$TMP/$type.img" > "$DATA/mkfs" 2>&1 && mount -o loop -t "$type" "$TMP/$type.img" "$at" >> "$DATA/mkfs" 2>&1; then return; fi
	echo "FAIL file-systems.$type: $(tail -n 1 "$DATA/mkfs")"
	return 1
}
# What nfs-utils do otherwise: the kernel asks them which folder this client may have, unless it was told before.
serve() { # PATH: by nfsd, mounted at $N
	if missing nfsd || missing nfs4; then return 1; fi
	echo 0 > /proc/sys/fs/leases-enable # by one, the client may keep to itself for a while what it writes
	mount -t nfsd none /proc/fs/nfsd
	echo "nfsd 127.0.0.1 2147483647 guest" > /proc/net/rpc/auth.unix.ip/channel
	echo "guest $1 2147483647 9218 65534 65534 0" > /proc/net/rpc/nfsd.export/channel # insecure ports, no subtree check, fsid=0
	echo "guest 1 \\x00000000 2147483647 $1" > /proc/net/rpc/nfsd.fh/channel
	for v in -2 -3 +4 +4.1 +4.2; do echo $v > /proc/fs/nfsd/versions; done 2> /dev/null # of the others it would tell a port mapper
	echo "tcp 2049" > /proc/fs/nfsd/portlist
	echo 2 > /proc/fs/nfsd/threads
	echo Y > /proc/fs/nfsd/v4_end_grace 2> /dev/null
	if mount -i -t nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1 127.0.0.1:/ $N; then return; fi
	echo "FAIL file-systems.nfsd: not mounted"
	return 1
}
settled() { # until everything so far was told
	fence=$((fence + 1))
	echo > "$e/fence/$fence"
	i=0; until grep -q "\"path\":\"$e/fence/$fence\"" "$out"; do
		i=$((i + 1)); [ $i -lt 600 ] || { echo "FAIL $w.settled: nothing was told for a minute"; exit 1; }
		sleep 0.1
	done
}
story() { # PATH: "ACTION NAME" of each line about it, joined by commas; "-" for nobody, "+" where there are more
	grep '"kind":"event"' "$out" | grep -F "\"path\":\"$1\",\"name\"" | awk '
	function after(text, mark) { return index(text, mark) ? substr(text, index(text, mark) + length(mark)) : "" }
	function word(text) { sub(/".*/, "", text); return text }
	{
		process = after($0, "\"process\":{")
		name = process == "" ? "-" : word(after(process, "\"name\":\""))
		if (name ~ /^(rm|mv)$/) name = word(after(after(process, "\"parent\":{"), "\"name\":\""))
		if (index($0, "\"actors\":[")) name = name "+"
		printf "%s%s %s", (NR > 1 ? "," : ""), word(after($0, "\"action\":\"")), name
	}'
}
told() { # PATH STORY CHECK
	want=$2 story=$(story "$1") is=''
	case "$w: $want: $story" in
	"fanotify: : "|"fanotify: "*deleted*": "|"fanotify: "*deleted*": "*deleted*) is=1;;
	fanotify*deleted*|"fanotify: : "*) ;;
	"fanotify: "?*": "?*) is=1;;
	*) [ "$story" != "$want" ] || is=1;;
	esac
	if [ -n "$is" ]; then echo "ok $w.$3"; else echo "FAIL $w.$3: of $1 '$want' was to be told; told: '$story'"; fi
}
apart() { # as told, where it takes the kernel's word for which subvolume a file is in
	if [ $w = bpf ] && [ ! -e /sys/kernel/btf/btrfs ]; then echo "skip $w.$3: this kernel does not describe the types of its modules"; else told "$@"; fi
}
skipped_runs() { grep -q '"cause":"missed_runs"' "$out"; } # a kernel that preempts its own work skips programs now and then
same() { [ "$(stat -c %i "$1")" = "$(stat -c %i "$2")" ] || echo "FAIL $w.same: $1 and $2 have different inode numbers"; }

has_btrfs='' has_xfs='' has_nfs='' has_overlay=''
if image btrfs 400M $B mkfs.btrfs -q; then has_btrfs=1; fi
# Linux before 5.19 takes none that is made for more extents to a file.
old=$(mkfs.xfs 2>&1 | sed -n 's/.*nrext64=.*/-i nrext64=0/p')
# shellcheck disable=SC2086
if image xfs 8T $X mkfs.xfs -q -f -l size=64m $old; then has_xfs=1; fi
if serve "$DATA/export"; then has_nfs=1; fi
if ! missing overlay; then has_overlay=1; fi

for w in bpf fanotify; do
	out=$DATA/$w.out fence=0 e=$DATA/$w
	mkdir -p "$e/fence"
	watch=$e/fence
	if [ -n "$has_btrfs" ]; then # the same number and the same generation in two subvolumes, and in snapshots
		b=$B/$w; mkdir -p $b/tree
		for v in one two three; do btrfs -q subvolume create $b/$v; done
		for v in one two three; do mkdir $b/$v/d; done
		for v in one two three; do for f in f g h i cold; do echo old > $b/$v/d/$f; done; done
		for v in snap unwatched; do btrfs -q subvolume snapshot $b/one $b/$v; done
		same $b/one/d/f $b/two/d/f; same $b/one/d/f $b/snap/d/f
		watch="$watch $b/one $b/two $b/snap $b/tree"
	fi
	if [ -n "$has_xfs" ]; then # numbers of more than 32 bits: a new directory is in another part of the disk
		for i in 1 2 3 4 5 6 7 8 9; do x=$X/$w/$i; mkdir -p $x; [ "$(stat -c %i $x)" -lt 4294967296 ] || break; done
		[ "$(stat -c %i $x)" -gt 4294967295 ] || echo "FAIL $w.xfs: no inode number of more than 32 bits"
		for f in f g h cold; do echo old > $x/$f; done
		watch="$watch $x"
	fi
	if [ -n "$has_overlay" ]; then # with its layers on one file system, and on two
		o=$e/merged m=$e/mixed
		mkdir -p "$e/lower/sub" "$e/upper" "$e/work" "$o" "$m" "$TMP/$w/upper" "$TMP/$w/work"
		for f in low gone cold renamed sub/in; do echo old > "$e/lower/$f"; done
		cp -a "$e/lower" "$e/lower2"
		echo old > "$e/upper/up"; echo old > "$e/upper/direct"
		mount -t overlay -o "lowerdir=$e/lower,upperdir=$e/upper,workdir=$e/work" overlay "$o" || echo "FAIL $w.overlay: not mounted"
		mount -t overlay -o "lowerdir=$e/lower2,upperdir=$TMP/$w/upper,workdir=$TMP/$w/work" overlay "$m" || echo "FAIL $w.mixed: not mounted"
		watch="$watch $o $e/upper $m"
	fi
	n=$DATA/export/$w
	mkdir -p "$e/bound" "$e/elsewhere" "$e/reuse" "$e/outside" "$TMP/$w/reuse" "$TMP/$w/outside" "$n"
	for f in "$e/bound/f" "$n/f" "$n/g" "$n/h"; do echo old > "$f"; done
	for i in 1 2 3 4 5; do echo old > "$e/reuse/$i"; echo old > "$TMP/$w/reuse/$i"; done
	mount --bind "$e/bound" "$e/elsewhere"
	watch="$watch $e/bound $e/reuse $TMP/$w/reuse $n"

	fim run -v --state "$DATA/state-$w" --watcher $w $watch > "$out" 2> "$DATA/$w.err" &
	agent=$!
	i=0; until grep -q '"watch_started"' "$out"; do
		i=$((i + 1))
		[ $i -lt 600 ] && kill -0 $agent || { echo "FAIL $w.start: $(tail -n 3 "$DATA/$w.err")"; continue 2; }
		sleep 0.1
	done

	if [ -n "$has_btrfs" ]; then
		by alice "echo new >> $b/one/d/f"
		by bob "echo new >> $b/two/d/f"
		by carol "echo new >> $b/unwatched/d/f"; settled
		by dave "echo new >> $b/snap/d/f"
		by carol "echo new > $b/unwatched/d/n"
		by carol "rm $b/unwatched/d/g; rm $b/three/d/g"; settled
		by alice "echo new >> $b/one/d/g"
		by bob "rm $b/two/d/h"; settled
		by erin "echo new > $b/one/d/h"
		by erin "mv $b/unwatched/d/i $b/unwatched/d/j"
		by alice "echo new > $b/one/d/n"
		btrfs -q subvolume snapshot $b/one $b/tree/s; settled
		by bob "echo new >> $b/tree/s/d/f"
		by bob "echo new > $b/tree/s/d/o"; settled
		btrfs -q subvolume delete $b/tree/s > /dev/null
	fi
	if [ -n "$has_xfs" ]; then
		by alice "echo new >> $x/f"
		by bob "rm $x/g"
		by carol "echo new > $x/n"
		by dave "mv $x/h $x/moved"
	fi
	if [ -n "$has_overlay" ]; then
		by alice "echo new >> $o/low; echo new >> $m/low"
		by bob "rm $o/gone; rm $m/gone"
		by carol "echo new > $o/made; echo new > $m/made"
		by dave "echo new >> $e/upper/direct"
		by erin "echo new >> $o/up"
		by alice "mv $o/renamed $o/moved"
		by bob "echo new >> $o/sub/in; echo new >> $m/sub/in"
	fi
	if [ -n "$has_nfs" ]; then
		by alice "echo new >> $N/$w/f"
		by bob "rm $N/$w/g"
		by carol ": > $N/$w/n"
		by dave "mv $N/$w/h $N/$w/moved"
	fi
	by alice "echo new >> $e/elsewhere/f"
	by bob "echo new > $e/elsewhere/n"
	for r in "$e" "$TMP/$w"; do
		again=''
		for i in 1 2 3 4 5; do # until nobody else took the number first
			was=$(stat -c %i "$r/reuse/$i")
			by alice "rm $r/reuse/$i"; by bob "echo new > $r/outside/b"; settled
			if [ "$r" != "$e" ] || [ "$was" = "$(stat -c %i "$r/outside/b")" ]; then again=1; break; fi
			rm "$r/outside/b"
		done
		[ -n "$again" ] || echo "FAIL $w.reuse: ext4 used other inode numbers"
		by bob "echo more >> $r/outside/b"; settled
		by bob "rm $r/outside/b"; by carol "echo new > $r/reuse/c"; settled
		by dave "echo more >> $r/reuse/c"; settled
	done
	# What the kernel has forgotten of its files since they were marked.
	sync; echo 3 > /proc/sys/vm/drop_caches
	[ -z "$has_xfs" ] || by carol "echo new >> $x/cold"
	[ -z "$has_btrfs" ] || by carol "echo new >> $b/one/d/cold"
	[ -z "$has_overlay" ] || { by alice "echo new >> $o/cold; echo new >> $m/cold"; by bob "echo new > $o/sub/after; echo new > $m/sub/after"; }
	settled
	kill -TERM $agent; wait $agent || echo "FAIL $w.stop: fim ended with $?"

	if [ -n "$has_btrfs" ]; then
		apart $b/one/d/f 'updated alice' btrfs.one
		apart $b/two/d/f 'updated bob' btrfs.two
		apart $b/snap/d/f 'updated dave' btrfs.snapshot
		apart $b/one/d/g 'updated alice' btrfs.gone-from-the-snapshot
		apart $b/two/d/h 'deleted bob' btrfs.deleted-in-the-other
		apart $b/one/d/h 'updated erin' btrfs.other-deleted
		apart $b/one/d/n 'created alice' btrfs.made-in-both
		apart $b/two/d/g '' btrfs.deleted-in-an-unwatched-one
		apart $b/one/d/i '' btrfs.renamed-in-the-snapshot
		apart $b/one/d/j '' btrfs.renamed-in-the-snapshot-to
		apart $b/two/d/n '' btrfs.made-elsewhere
		apart $b/tree/s 'created btrfs,deleted btrfs' btrfs.new-snapshot
		apart $b/tree/s/d/g 'created btrfs,deleted btrfs' btrfs.in-the-new-snapshot
		apart $b/tree/s/d/f 'created btrfs,updated bob,deleted btrfs' btrfs.written-in-the-new-snapshot
		apart $b/tree/s/d/o 'created bob,deleted btrfs' btrfs.made-in-the-new-snapshot
		told $b/one/d/cold 'updated carol' btrfs.cold
	fi
	if [ -n "$has_xfs" ]; then
		told $x/f 'updated alice' xfs.written
		told $x/g 'deleted bob' xfs.deleted
		told $x/n 'created carol' xfs.made
		told $x/moved 'moved dave' xfs.renamed
		told $x/cold 'updated carol' xfs.cold
	fi
	if [ -n "$has_overlay" ]; then
		told $o/low 'updated alice' overlay.copied-up
		told $e/upper/low 'created alice' overlay.copied-up-above
		told $o/gone 'deleted bob' overlay.deleted
		told $e/upper/gone 'created bob' overlay.whiteout
		told $o/made 'created carol' overlay.made
		told $e/upper/made 'created carol' overlay.made-above
		told $e/upper/direct 'updated dave' overlay.written-directly
		# What the kernel skipped is made up for by comparing, which finds it.
		[ $w = fanotify ] || skipped_runs || told $o/direct '' overlay.written-directly-shown
		told $o/up 'updated erin' overlay.written-above
		told $e/upper/up 'updated erin' overlay.written-in-the-upper
		told $o/moved 'moved alice' overlay.renamed
		told $o/sub/in 'updated bob' overlay.copied-up-in-sub
		told $o/cold 'updated alice' overlay.cold
		told $o/sub/after 'created bob' overlay.cold-made
		told $m/low 'updated alice' mixed.copied-up
		told $m/gone 'deleted bob' mixed.deleted
		told $m/made 'created carol' mixed.made
		told $m/sub/in 'updated bob' mixed.in-sub
		told $m/cold 'updated alice' mixed.cold
		told $m/sub/after 'created bob' mixed.cold-made
	fi
	if [ -n "$has_nfs" ]; then
		told $n/f 'updated nfsd' nfsd.written
		told $n/g 'deleted nfsd' nfsd.deleted
		told $n/n 'created nfsd' nfsd.made
		told $n/moved 'moved nfsd' nfsd.renamed
	fi
	told $e/bound/f 'updated alice' bind.written
	told $e/bound/n 'created bob' bind.made
	for r in "$e" "$TMP/$w"; do
		for i in 1 2 3 4 5; do [ -e $r/reuse/$i ] || told $r/reuse/$i 'deleted alice' reuse.deleted; done
		told $r/outside/b '' reuse.unwatched
		told $r/reuse/c 'created carol,updated dave' reuse.watched
	done
	[ $w = fanotify ] || ! grep '"kind":"alert"' "$out" | grep -v '"cause":"missed_runs"' | sed "s/^/FAIL $w.alert: /" | cut -c1-400
done
exit 0
