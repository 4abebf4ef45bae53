// Every row, in the order of the table. Each step of the project adds its own.

enum Rows {
  static let all: [Row] = [
    UnwrapRows.oneCore, UnwrapRows.allCores, DeriveRow.row,
    OpenRows.row("open-64", plaintextBytes: 64), OpenRows.row("open-1k", plaintextBytes: 1024),
    OpenRows.row("open-64k", plaintextBytes: 65_536), RecordRow.row,
  ]
}
