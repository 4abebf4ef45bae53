#!/usr/bin/env python3
"""Makes Sources/Store/Proof/expected_state.txt anew from a fresh database. Look at the difference before committing it."""

import t_state

lines = t_state.state(t_state.prepare())
t_state.EXPECTED.write_text("".join(line + "\n" for line in lines))
print(f"{len(lines)} facts")
