// Turns a PGresult that carries an error into a `ServerError`.

import CPostgres

extension ServerError {
  init(_ result: OpaquePointer) {
    // The codes of PG_DIAG_… are characters; the header spells them as C character literals, which Swift cannot read.
    func field(_ code: Unicode.Scalar) -> String? {
      guard let text = unsafe PQresultErrorField(result, Int32(code.value)) else { return nil }
      return unsafe String(cString: text)
    }
    self.init(
      state: field("C").map { SQLState($0) } ?? .none,
      severity: field("V").flatMap { Severity(rawValue: $0) } ?? .error,
      schema: field("s"), table: field("t"), column: field("c"), constraint: field("n"),
      withheld: Withheld(message: field("M") ?? "", detail: field("D") ?? "", context: field("W") ?? ""))
  }
}
