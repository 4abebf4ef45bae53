// Why a connection could not be made. libpq gives no code here, only words, so the phase in which it stopped is taken
// from its state and the server's state from the one form of words that we ask for (PQERRORS_SQLSTATE).

package struct ConnectFailure: Error, Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    /// The server answered and refused: wrong password, no such database, too many connections, starting up.
    case refused(SQLState)
    /// Nobody answered, or the name has no address.
    case network
    /// TLS could not be agreed on, or the certificate is not the right one.
    case tls
    /// The server wants a password and none is configured.
    case passwordMissing
    /// The password file is missing, is not a plain file, or others may read it.
    case passwordFile
    /// This process could not start a thread for it, or has no descriptor left.
    case resources
  }

  package let reason: Reason
  /// libpq's sentence for the operator: host, port and what was wrong there. No row is involved yet, and with
  /// PQERRORS_SQLSTATE the server's own words are not in it.
  package let detail: String

  package init(reason: Reason, detail: String = "") {
    self.reason = reason
    self.detail = detail
  }

  package static func == (left: Self, right: Self) -> Bool { left.reason == right.reason }

  /// True where trying again without a change of configuration cannot help.
  package var isPermanent: Bool {
    switch reason {
    case .refused(let state): state.classCode == "28" || state == .undefinedDatabase || state == .insufficientPrivilege
    case .tls, .passwordMissing, .passwordFile: true
    case .network, .resources: false
    }
  }
}

extension ConnectFailure: CustomStringConvertible {
  package var description: String {
    let text =
      switch reason {
      case .refused(let state): "refused with \(state)"
      case .network: "nobody answers"
      case .tls: "TLS failed"
      case .passwordMissing: "a password is wanted and none is configured"
      case .passwordFile: "the password file is missing or may be read by others (mode 0600 is needed)"
      case .resources: "this process is out of threads or descriptors"
      }
    return detail.isEmpty ? text : "\(text) (\(detail))"
  }
}

extension ConnectFailure {
  /// Longest sentence that is kept; libpq repeats itself once per address it tried.
  private static let detailBytes = 400

  /// Cuts libpq's sentence to one printable line: before TLS is up an impostor may write it.
  static func printable(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars.prefix(detailBytes) {
      line.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  /// Whether TLS is what failed. A server that only went away during the handshake is the network's trouble; one that
  /// refuses our certificate under TLS 1.3 says so only after it.
  static func isTLS(_ message: String, duringHandshake: Bool) -> Bool {
    if message.contains("SSL error:") { return true }
    return duringHandshake && !message.contains("SSL SYSCALL error:") && !message.contains("closed the connection")
  }

  /// Finds the state in "… FATAL:  28P01"; the last one, since several addresses may have been tried.
  static func state(in message: String) -> SQLState? {
    var found: SQLState?
    for line in message.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      guard words.count >= 2, let last = words.last, last.utf8.count == 5, words[words.count - 2].hasSuffix(":") else {
        continue
      }
      guard last.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) }) else { continue }
      found = SQLState(String(last))
    }
    return found
  }
}
