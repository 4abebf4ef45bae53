// Every row, in the order of the table. Each step of the project adds its own.

enum Rows {
  static let all: [Row] = [
    UnwrapRows.oneCore, UnwrapRows.allCores, DeriveRow.row,
    OpenRows.row("open-64", plaintextBytes: 64), OpenRows.row("open-1k", plaintextBytes: 1024),
    OpenRows.row("open-64k", plaintextBytes: 65_536), RecordRow.row, IssueRow.row, ReceiptsRow.row,
    TickRows.row("tick-idle", missions: 100_000), TickRows.row("tick-idle-1m", missions: 1_000_000, isLong: true),
    RefreshRows.row("refresh", history: 100_000), RefreshRows.row("refresh-1m", history: 1_000_000, isLong: true),
    HTTPRow.row, ResolveRows.throughput, ResolveRows.latency, ResolveRows.latencyAtWorst,
  ]
}
