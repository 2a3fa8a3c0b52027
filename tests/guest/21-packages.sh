# limit: 300
# kernels: 5.10
# Packages upgraded and installed anew, trusted writers and windows, watched by BPF: see tests/e2e/src/packages.rs.
export FIM_E2E_SLOW=1
fim-e2e packages /usr/bin/fim bpf "$DATA" || [ $? = 1 ] || echo "FAIL $DATA: the packages' suite could not run"
