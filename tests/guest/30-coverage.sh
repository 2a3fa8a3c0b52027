# limit: 1200
# modules: loop overlay
# Every way to change a file, with each watcher, on ext4 and on tmpfs. What was reported of each is left in /out for
# tests/guest/check, which compares it with docs/coverage.md.
watchers=$(cat /tests/watchers)
# What fanotify tells before Linux 5.17 is not in the table.
case $(uname -r) in 5.10.*) watchers=$(echo "$watchers" | sed 's/fanotify//');; esac
for watcher in $watchers; do for dir in "$DATA" "$TMP"; do
	kind=${dir#/}; kind=$watcher-${kind%%/*}; json=/out/30-coverage/$kind.json
	fim selftest --watcher "$watcher" --json "$dir" > "$json"
	status=$?
	grep '"as_promised":false' "$json"
	[ $status = 0 ] && echo "ok coverage-$kind" || echo "FAIL coverage-$kind: fim selftest ended with $status"
done; done
