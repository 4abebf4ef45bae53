// What `--help` prints.

enum Help {
  static var overview: String {
    var text = """
      mandate-vectors verifies published test vectors, ours and others', with the code that the services run.

      Usage:
        mandate-vectors verify [--partial] [--json] [--quiet] PATH…   check files and folders

      """
    for verb in VectorVerbs.all { text += "  mandate-vectors \(verb.usage)\n" }
    return text + """
        mandate-vectors --version
        mandate-vectors --help

      `mandate-vectors verify --help` says more. docs/vectors.md describes every kind of file.

      """
  }

  static var verify: String {
    """
    Usage: mandate-vectors verify [--partial] [--json] [--quiet] PATH…

    Checks every vector file among the paths; folders are searched to the bottom. What a file is shows in its
    content, never in its name. Prints one row per file: how many cases it holds, how many were run, passed, failed,
    were set apart (looked at, but the outcome belongs to another engine or to a documented deviation) and were
    skipped, each with the reason; then every failure, every file that was not understood, and the totals.

      --partial   a file that is not understood is listed and does not count
      --json      one JSON object instead of the table (docs/vectors.md)
      --quiet     no rows, only what failed, what was not understood, and the totals
      --          what follows is a path, even if it begins with a dash

    Understood: \(VectorKinds.all.map(\.name).joined(separator: ", ")).

    Exit codes: 0 everything passed, 1 something failed or nothing ran, 2 wrong usage, 3 a file was not understood.

    """
  }
}
