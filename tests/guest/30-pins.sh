# limit: 900
# What the kernel marks while no agent runs: who changed what is told by the next start, once. See docs/configuration.md, [pins].
# shellcheck disable=SC2034 # pins.lib takes them
bin=$DATA/bin w=$DATA/w state=$DATA/state
. /tests/pins.lib
mkdir -p "$w/gone/deep" "$w/keep" "$DATA/elsewhere"

# --- killed, and started again
configure a true '8 MiB' "$w"
for f in written removed renamed over replaced keep/mode gone/deep/f; do echo old > "$w/$f"; done
mkfifo "$DATA/orders"
dave -c 'while read -r order; do eval "$order"; done' < "$DATA/orders" &
exec 3> "$DATA/orders"
start a a1 || exit 1
check 'pins.first.unwatched' hasnt a1.out unwatched_since
echo "echo told > $w/by-dave" >&3
i=0; until has a1.out by-dave || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
# What was told a moment before it is killed is told again: see docs/decisions/0011.
sleep 2
stop KILL
check 'pins.stay' test "$(pinned)" -gt 20

alice -c "echo new >> $w/written; exit"
alice -c "echo new > $w/made; exit"
bob -c "echo again >> $w/made; exit"
rm "$w/removed"
mv "$w/renamed" "$w/renamed-to"
echo 1 > "$w/.over.tmp"; mv "$w/.over.tmp" "$w/over"
sed -i s/old/new/ "$w/replaced"
chmod 600 "$w/keep/mode"
mkdir "$w/tree"; carol -c "echo x > $w/tree/f; exit"
rm -r "$w/gone"
echo "echo more >> $w/by-dave" >&3
alice -c "echo x > $w/came-and-went; exit"; rm "$w/came-and-went"
echo out > "$DATA/elsewhere/in"; mv "$DATA/elsewhere/in" "$w/in"
sleep 1
start a a2 || exit 1
told a2 updated "$w/written" alice pins.written
told a2 created "$w/made" bob pins.made
told a2 deleted "$w/removed" rm pins.removed
told a2 moved "$w/renamed-to" mv pins.renamed
told a2 updated "$w/over" mv pins.over
told a2 updated "$w/replaced" sed pins.replaced
told a2 attributes_modified "$w/keep/mode" chmod pins.mode
told a2 created "$w/tree" mkdir pins.mkdir
told a2 created "$w/tree/f" carol pins.in-a-new-tree
told a2 deleted "$w/gone/deep/f" rm pins.gone
told a2 deleted "$w/gone" rm pins.gone-tree
told a2 updated "$w/by-dave" dave pins.told-to-the-one-before
told a2 deleted "$w/came-and-went" rm pins.transient
told a2 created "$w/in" mv pins.moved-in
check pins.whole hasnt a2.out unwatched_since
check pins.no-gap no_gap a2.out
check pins.one-start test "$(ls -d /sys/fs/bpf/fim/*/[0-9]* | wc -l)" = 1

# --- it watches as before
echo live >> "$w/written"
i=0; until grep '"detected":"live"' "$DATA/a2.out" | grep -q "$w/written" || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
check pins.live test $i -le 100
if fim run --unpin --config "$DATA/a.toml" > "$DATA/refused" 2>&1; then echo "FAIL pins.unpin-refused: it did not"; else echo "ok pins.unpin-refused"; fi

# --- stopped in good order, and started again with less to watch: marks of the rest go
stop TERM
check pins.stopped has a2.out '"watch_stopped"'
bob -c "echo more >> $w/written; exit"
fim baseline --config "$DATA/a.toml" "$w/keep" > /dev/null 2>&1
start a a3 || exit 1
told a3 updated "$w/written" bob pins.stopped-and-started
before=$(fim status --config "$DATA/a.toml" | sed -n 's/^marks *\([0-9]*\).*/\1/p')
stop TERM
configure a true '8 MiB' "$w/keep"
start a a4 || exit 1
after=$(fim status --config "$DATA/a.toml" | sed -n 's/^marks *\([0-9]*\).*/\1/p')
check pins.stale-marks test "${after:-999}" -lt "${before:-0}"

stop TERM
exec 3>&-
