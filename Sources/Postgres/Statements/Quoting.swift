// Names and literals inside SQL text, for the few commands that take no parameters: CREATE ROLE, CREATE DATABASE,
// ALTER ROLE … PASSWORD. libpq quotes only with a connection at hand, for that connection's encoding; ours is always
// UTF-8 with standard_conforming_strings on, so the rule is one line and needs none.

/// The name as an SQL identifier. Refused are names the server could not keep as they are.
package func quoteIdentifier(_ name: String) throws(PostgresError) -> String {
  guard !name.isEmpty, name.utf8.count <= WireLimits.identifierBytes, !name.utf8.contains(0) else {
    throw .parameter(.unquotable)
  }
  return "\"" + doubled(name, "\"") + "\""
}

/// The text as an SQL string. Backslashes stand for themselves: the E spelling says so under any setting.
package func quoteLiteral(_ text: String) throws(PostgresError) -> String {
  guard !text.utf8.contains(0), text.utf8.count <= WireLimits.sqlBytes else { throw .parameter(.unquotable) }
  return "E'" + doubled(doubled(text, "'"), "\\") + "'"
}

/// Byte by byte: a quote with a combining mark behind it is another `Character`, but the server's lexer sees the quote.
private func doubled(_ text: String, _ quote: Unicode.Scalar) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    result.append(scalar)
    if scalar == quote { result.append(scalar) }
  }
  return String(result)
}
