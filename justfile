# What CI runs.
check:
    .ci/run
