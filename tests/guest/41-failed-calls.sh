# limit: 300
# Calls on real files that the kernel refuses: no line may come of them. (The rest is in the catalogue: fim selftest.)
out=$DATA/out err=$DATA/err
trap 'cp "$out" "$err" "/out/${DATA##*/}/"' EXIT
held=$DATA/held
echo held > "$held"; chattr +i "$held"
cat > "$DATA/fim.toml" <<END
state = "$DATA/state"
[users]
[access]
[[generic]]
paths = ["/etc", "$held"]
END
fim run --config "$DATA/fim.toml" --watcher bpf > "$out" 2> "$err" &
agent=$!
i=0; until grep -q '"watch_started"' "$out"; do
	i=$((i + 1))
	[ $i -lt 600 ] && kill -0 $agent || { echo "FAIL failed.start: $(tail -n 3 "$err")"; exit 1; }
	sleep 0.1
done
fails() { # NAME COMMAND
	name=$1; shift
	if "$@" > /dev/null 2>&1; then echo "FAIL failed.$name: it did not fail"; else echo "ok failed.$name"; fi
}
nobody() { su -s /bin/sh nobody -c "$1"; }
[ "$(nobody 'id -u')" = 65534 ] || echo "FAIL failed.nobody: cannot become nobody"
fails shadow-unlink nobody 'rm -f /etc/shadow'
fails shadow-write nobody 'echo x >> /etc/shadow'
fails shadow-truncate nobody ': > /etc/shadow'
fails shadow-chmod nobody 'chmod 666 /etc/shadow'
fails shadow-rename nobody 'mv -f /etc/shadow /tmp/shadow'
fails shadow-link nobody 'ln /etc/shadow /tmp/shadow'
fails passwd-replace nobody 'echo x > /tmp/passwd && mv -f /tmp/passwd /etc/passwd'
fails etc-create nobody 'echo x > /etc/new'
fails immutable-write sh -c "echo x >> $held"
fails immutable-unlink rm -f "$held"
fails immutable-rename mv -f "$held" "$DATA/let-go"
fails immutable-replace mv -f "$DATA/fim.toml" "$held"
fails missing rm /etc/missing
mount --bind /etc "$TMP" && mount -o remount,bind,ro "$TMP"
fails read-only-write sh -c "echo x >> $TMP/hostname"
fails read-only-unlink rm -f "$TMP/shadow"
umount "$TMP"
# What came before this has been told with it.
echo fence > /etc/fence
i=0; until grep -q '"path":"/etc/fence"' "$out"; do i=$((i + 1)); [ $i -lt 600 ] || { echo 'FAIL failed.fence: not told'; exit 1; }; sleep 0.1; done
kill -TERM $agent; wait $agent
chattr -i "$held"; rm /etc/fence
# That the kernel skipped a run of a program (docs/decisions/0009) is no line about these calls.
lines=$(grep -v '"kind":"state"' "$out" | grep -v -e '"path":"/etc/fence"' -e '"cause":"missed_runs"' | cut -c1-600)
if [ -z "$lines" ]; then echo 'ok failed.quiet'; else echo "FAIL failed.quiet: $lines"; fi
