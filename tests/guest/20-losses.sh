# limit: 400
# Records lost, no room, nobody there to take them: see tests/e2e/src/losses.rs.
fim-e2e losses /usr/bin/fim bpf "$TMP" || [ $? = 1 ] || echo "FAIL losses: it could not run"
