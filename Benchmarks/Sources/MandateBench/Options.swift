// The command line.

struct Options {
  struct Wrong: Error { let why: String }

  private(set) var json = false
  private(set) var long = false
  private(set) var life = false
  private(set) var help = false
  private(set) var only: [String] = []

  static var usage: String {
    """
    usage: mandate-bench [--json] [--long] [--only ROW]… | --life

    Measures each row against its yardstick in the same run and prints the ratio beside the mark. Marks are ratios,
    because machines differ; a missed mark is printed as missed and does not fail the run.

      --json       one line: {"rows":[{"name","ours","yardstick","ratio","mark","met"}]}
      --long       also the rows that take many minutes
      --only ROW   just this row; may be repeated
      --life       no row: one resolve request's statements, times and rows, as docs/resolver.md shows them

    rows: \(Rows.all.map(\.name).joined(separator: " "))
    """
  }

  init(_ arguments: some Sequence<String>) throws(Wrong) {
    var waiting = false
    for argument in arguments {
      if waiting {
        guard Rows.all.contains(where: { $0.name == argument }) else {
          throw Wrong(why: "no row is called \(argument)")
        }
        only.append(argument)
        waiting = false
        continue
      }
      switch argument {
      case "--json": json = true
      case "--long": long = true
      case "--life": life = true
      case "--help", "-h": help = true
      case "--only": waiting = true
      default: throw Wrong(why: "unknown argument \(argument)")
      }
    }
    if waiting { throw Wrong(why: "--only needs the name of a row") }
  }

  func wants(_ row: Row) -> Bool { (only.isEmpty || only.contains(row.name)) && (long || !row.isLong) }
}
