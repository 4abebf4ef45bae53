// One row of the change log as the fold sees it: what the store reads and what the missions' fold takes, which know
// nothing of each other. Whose row it is does not appear here: the fold treats all rows of a record alike, and which
// ones a reader may see is decided where they are read (docs/flaws.md, F-18).

package struct ChangeRow: Sendable {
  package enum Operation: Sendable {
    case insert, update, delete

    /// The column's text. The database admits these three words; the seeds' fold takes any other for a write.
    package init(column text: String) {
      switch text {
      case "delete": self = .delete
      case "insert": self = .insert
      default: self = .update
      }
    }
  }

  package let position: ChangePosition
  package let operation: Operation
  /// Nil for SQL NULL, which means the same as JSON null. Anything but an object is taken for it and counted.
  package let data: JSONValue?
  /// Field to stamp. A value that is not text counts as missing and is counted.
  package let fieldMeta: JSONValue?

  package init(position: ChangePosition, operation: Operation, data: JSONValue?, fieldMeta: JSONValue?) {
    self.position = position
    self.operation = operation
    self.data = data
    self.fieldMeta = fieldMeta
  }
}
