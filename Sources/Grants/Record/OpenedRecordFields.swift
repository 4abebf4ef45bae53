// An opened record is read by the formatting rules, and what they write goes into memory that is wiped.

import Contracts
import Secrets

extension OpenedRecord: RecordFields {}

extension WipedBytes: ByteSink {}
