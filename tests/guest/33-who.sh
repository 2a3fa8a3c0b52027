# limit: 300
# Who is named: a process that changes its user without another program, one whose write fails half-way, and who mounts while
# others try to in vain.
w=$DATA/w
mkdir -p "$w/m" "$w/half"
head -c 8192 /dev/zero > "$w/half/f"
echo old > "$w/f"; echo old > "$w/other"; echo old > "$w/m/hidden"
fim run --state "$DATA/state" --watcher bpf "$w" > "$DATA/out" 2> "$DATA/err" &
agent=$!
trap 'cp "$DATA/out" "$DATA/err" /out/33-who/' EXIT
wait_for() { # TEXT
	i=0
	until grep -q "$1" "$DATA/out"; do
		i=$((i + 1))
		if [ $i -gt 600 ] || ! kill -0 $agent 2>/dev/null; then echo "FAIL who: no $1: $(tail -n 2 "$DATA/err")"; exit 1; fi
		sleep 0.1
	done
}
named() { # NAME PATH UID
	wait_for "\"path\":\"$2\".*\"action\"\|\"path\":\"$2\""
	line=$(grep "\"path\":\"$2\"" "$DATA/out" | tail -n 1)
	case $line in
	*'"user":{"id":"'$3'"'*) echo "ok $1";;
	*) echo "FAIL $1: not by $3: $line";;
	esac
}
wait_for '"watch_started"'
fim-e2e act as_another "$w"
named root-before "$w/f" 0
named nobody-after "$w/other" 65534
# A write that fails half-way, by somebody who keeps the file open: its first page is on the disk.
fim-e2e act half "$w/half" > "$DATA/half" &
half=$!
wait_for "\"path\":\"$w/half/f\""
named half "$w/half/f" 0
kill $half
[ "$(cat "$DATA/half")" = failed ] && echo "ok half-failed" || echo "FAIL half-failed: $(cat "$DATA/half")"
# Refused a thousand times, by somebody who may not.
fim-e2e act mount_in_vain "$w/m" &
vain=$!
mount -t tmpfs none "$w/m"
named mounter "$w/m/hidden" 0
if wait $vain; then echo "ok in-vain"; else echo "FAIL in-vain: mount(2) was not refused"; fi
umount "$w/m"
kill -TERM $agent; wait $agent
# A kernel that preempts its own work skips runs whenever two tasks are at the same call: that is no flood.
flood=$(grep coverage_gap "$DATA/out" | grep -v '"cause":"missed_runs"' | head -n 1)
if [ -n "$flood" ]; then echo "FAIL no-flood: $flood"; else echo "ok no-flood"; fi
# Two writes, a mount and its end, and what they need besides: not one event for each that was refused.
events=$(grep '"watch_stopped"' "$DATA/out" | sed 's/.*"events":\([0-9]*\).*/\1/')
if [ "$events" -lt 100 ]; then echo "ok no-events"; else echo "FAIL no-events: $events events"; fi
