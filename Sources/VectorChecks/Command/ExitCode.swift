// What the shell is told at the end.

package enum ExitCode: Int32, Sendable {
  case passed = 0
  /// Something failed, or nothing ran.
  case failed = 1
  case wrongUsage = 2
  /// A file was not understood, and nobody said `--partial`.
  case notUnderstood = 3
}
