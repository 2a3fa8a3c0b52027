# limit: 900
# The tools that administer accounts, keys and rules, watched by BPF, on ext4 and on tmpfs: see tests/e2e.
export FIM_E2E_SLOW=1
for dir in "$DATA" "$TMP"; do
	fim-e2e consumers /usr/bin/fim bpf "$dir" || [ $? = 1 ] || echo "FAIL $dir: the consumers' suite could not run"
	[ "$dir" = "$DATA" ] && cp "$dir"/consumers/tools/lines "/out/20-consumers/lines"
done
