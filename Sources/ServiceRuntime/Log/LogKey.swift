// The one list of keys that log lines may have. Ids, counts, reasons: what a line is about, never what it holds.

package enum LogKey: String, CaseIterable, Sendable {
  // Whose work it is
  case requestId
  case traceId
  case userId
  case missionId
  case grantId
  case keyId
  case table

  // What came of it
  case reason
  case status
  case count
  case bytes
  case took
  /// Of `took`, the time until every record was opened or refused.
  case opening
  /// Inputs of missions, by what became of them.
  case shown
  case refused

  // A request, by what is closed about it
  case listener
  case method
  case route

  // The process itself
  case address
  case variable
  case path
  case detail
}
