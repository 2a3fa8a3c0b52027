# limit: 900
# Every kind of change and real tools, watched by BPF, on ext4 and on tmpfs: see tests/e2e. Starts, kills and reloads do not
# depend on the file system, nor do many writes on the kernel: they are made once.
export FIM_E2E_SLOW=1
case $(uname -r) in 6.1.*) ;; *) export FIM_E2E_LIGHT=1;; esac
fim-e2e suite /usr/bin/fim bpf "$DATA" || [ $? = 1 ] || echo "FAIL $DATA: the suite could not run"
export FIM_E2E_LIGHT=1
fim-e2e changes /usr/bin/fim bpf "$TMP" || [ $? = 1 ] || echo "FAIL $TMP: the suite could not run"
