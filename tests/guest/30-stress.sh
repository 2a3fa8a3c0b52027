# limit: 400
# Changes at random from two seeds, watched by BPF, on ext4 and on tmpfs: see tests/e2e/src/stress.rs. scripts/stress has more.
export FIM_E2E_LIGHT=1
for dir in "$DATA" "$TMP"; do
	fim-e2e stress /usr/bin/fim bpf "$dir" 1 2 || [ $? = 1 ] || echo "FAIL $dir: it could not run"
	for left in "$dir"/stress-*; do [ ! -e "$left" ] || { rm -rf "$left/state"; cp -r "$left" "/out/30-stress/$(basename "$(dirname "$dir")")-${left##*/}"; }; done
done
