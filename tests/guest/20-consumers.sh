# limit: 900
# kernels: 5.10 7.3
# The tools that administer accounts, keys and rules, watched by BPF, on ext4: see tests/e2e. They are slow in a guest, and
# what they do is the same on tmpfs, where the suite runs natively. On the oldest and the newest kernel: what their changes
# mean is no matter of the kernel's.
export FIM_E2E_SLOW=1
fim-e2e consumers /usr/bin/fim bpf "$DATA" || [ $? = 1 ] || echo "FAIL $DATA: the consumers' suite could not run"
cp "$DATA"/consumers/tools/lines /out/20-consumers/lines
