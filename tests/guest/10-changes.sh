# limit: 900
# Every kind of change and real tools, watched by BPF, on ext4 and on tmpfs: see tests/e2e.
export FIM_E2E_SLOW=1
for dir in "$DATA" "$TMP"; do
	[ "$dir" = "$DATA" ] || export FIM_E2E_LIGHT=1
	fim-e2e suite /usr/bin/fim bpf "$dir" || [ $? = 1 ] || echo "FAIL $dir: the suite could not run"
done
