# limit: 600
# What somebody with the rights of root does to the BPF watcher is told within five seconds: see docs/security.md.
# What another script left pinned is none of this one's.
rm -rf /sys/fs/bpf/fim
w=$DATA/w
mkdir -p "$w"
echo old > "$w/f"
cat > "$DATA/fim.toml" <<END
state = "$DATA/state"
[limits]
watch_room = 1024
[pins]
enabled = true
[[generic]]
paths = ["$w"]
END
trap 'cp "$DATA"/out* "$DATA"/err* /out/31-tampering/' EXIT
start() { # RUN
	fim run --config "$DATA/fim.toml" --watcher bpf > "$DATA/out$1" 2> "$DATA/err$1" &
	agent=$!
	i=0
	until grep -q '"watch_started"' "$DATA/out$1"; do
		i=$((i + 1))
		if [ $i -gt 3000 ] || ! kill -0 $agent 2>/dev/null; then
			echo "FAIL start: $(tail -n 3 "$DATA/err$1")"
			exit 1
		fi
		sleep 0.1
	done
	dir=$(echo /sys/fs/bpf/fim/*/[0-9]*)
}
told() { # NAME RUN WORDS SINCE: within so many seconds of the guest's clock as an alert
	until grep '"kind":"alert"' "$DATA/out$2" | grep -q "$3"; do
		if [ $(($(date +%s) - $4)) -gt 10 ]; then echo "FAIL $1: not told: $3"; return; fi
		sleep 0.1
	done
	took=$(($(date +%s) - $4))
	# The clock counts whole seconds.
	if [ $took -le 6 ]; then echo "ok $1"; else echo "FAIL $1: told after $took s"; fi
}
start 1
sleep 9
if grep -q '"against":"watcher"' "$DATA/out1"; then echo "FAIL quiet: $(grep '"against"' "$DATA/out1")"; else echo "ok quiet"; fi
at=$(date +%s); rm "$dir/link_vfs_write"
told pin-removed 1 'removed or replaced: vfs_write' "$at"
at=$(date +%s); fim-e2e meddle empty "$dir/marks"
told marks-emptied 1 'was not seen' "$at"
# Everything is marked again.
echo new >> "$w/f"
i=0; until grep -q "\"path\":\"$w/f\"" "$DATA/out1" || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
if [ $i -le 100 ]; then echo "ok marked-again"; else echo "FAIL marked-again: a write was not told"; fi
kill -TERM $agent; wait $agent
fim run --unpin --config "$DATA/fim.toml"
start 2
at=$(date +%s); fim-e2e meddle fill "$dir/marks"
told marks-filled 2 'were put among' "$at"
kill -TERM $agent; wait $agent
fim run --unpin --config "$DATA/fim.toml"
