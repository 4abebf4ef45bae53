// Where a record lies in the change log: application, table, id. All three are bytes that writers chose.

package import Contracts

package struct RecordAddress: Sendable, Hashable {
  package let app: Identifier
  package let table: Identifier
  package let record: Identifier

  package init(app: Identifier, table: Identifier, record: Identifier) {
    self.app = app
    self.table = table
    self.record = record
  }
}
