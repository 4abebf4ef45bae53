// What the resolver answers, written straight into memory that will be wiped: what is shown of a record never becomes a
// value on the way. Results stand in the order of the requests, and each input stands either among those that are shown
// or among those that are refused.

/// What became of a mission's grant. The spellings are on the wire.
package enum GrantOutcome: String, Sendable, CaseIterable {
  case ok
  case notConfigured = "not-configured"
  case expired
  case malformed
  case wrapRejected = "wrap-rejected"
  case revoked
  case unknownGrant = "unknown-grant"
  /// The mission carries no grant, or nothing that it asked for needs one.
  case none
}

/// Why a mission got no answer at all. The runner may ask again; nothing is known of its grant.
package enum ResolveOutage: String, Sendable, CaseIterable {
  /// The database could not be asked, or not in time.
  case unavailable
  case `internal`
}

package enum ResolveReply {
  package static let mostBytes = 32 << 20

  /// The rows of the user's audit that this answer stands on: the first, and the end of the chain with its hash.
  package struct Receipts: Sendable {
    package let from: Int64
    package let to: Int64
    package let hash: [UInt8]

    package init(from: Int64, to: Int64, hash: [UInt8]) { (self.from, self.to, self.hash) = (from, to, hash) }
  }

  package struct Refusal: Sendable {
    package let input: ResolveCall.InputRef
    package let reason: String

    package init(_ input: ResolveCall.InputRef, reason: String) { (self.input, self.reason) = (input, reason) }
  }

  package struct Head: Sendable {
    package let mission: String
    /// Nil where an outage left it unknown.
    package let grant: GrantOutcome?
    package let outage: ResolveOutage?

    package init(mission: String, grant: GrantOutcome?, outage: ResolveOutage? = nil) {
      (self.mission, self.grant, self.outage) = (mission, grant, outage)
    }
  }

  // MARK: Writing, from left to right

  package static func begin(_ sink: inout some ByteSink & ~Copyable) { plain("{\"results\":[", &sink) }

  package static func end(_ sink: inout some ByteSink & ~Copyable) { plain("]}", &sink) }

  /// Up to where the inputs stand.
  package static func beginResult(_ head: Head, isFirst: Bool, _ sink: inout some ByteSink & ~Copyable) {
    plain(isFirst ? "{\"missionId\":" : ",{\"missionId\":", &sink)
    quoted(head.mission, &sink)
    plain(",\"grant\":", &sink)
    if let grant = head.grant { quoted(grant.rawValue, &sink) } else { plain("null", &sink) }
    if let outage = head.outage {
      plain(",\"outage\":", &sink)
      quoted(outage.rawValue, &sink)
    }
    plain(",\"inputs\":[", &sink)
  }

  /// One input that is shown. Whoever puts several together writes the commas.
  package static func input(
    _ ref: ResolveCall.InputRef, title: Span<UInt8>, content: Span<UInt8>, _ sink: inout some ByteSink & ~Copyable
  ) {
    plain("{\"id\":", &sink)
    quoted(ref.id, &sink)
    plain(",\"module\":", &sink)
    quoted(ref.module, &sink)
    plain(",\"table\":", &sink)
    quoted(ref.table, &sink)
    plain(",\"title\":", &sink)
    quoted(title, &sink)
    plain(",\"content\":", &sink)
    quoted(content, &sink)
    plain("}", &sink)
  }

  package static func endResult(
    refused: [Refusal], receipts: Receipts?, _ sink: inout some ByteSink & ~Copyable
  ) {
    plain("],\"refused\":[", &sink)
    for (place, refusal) in refused.enumerated() {
      plain(place == 0 ? "{\"module\":" : ",{\"module\":", &sink)
      quoted(refusal.input.module, &sink)
      plain(",\"table\":", &sink)
      quoted(refusal.input.table, &sink)
      plain(",\"id\":", &sink)
      quoted(refusal.input.id, &sink)
      plain(",\"reason\":", &sink)
      quoted(refusal.reason, &sink)
      plain("}", &sink)
    }
    plain("]", &sink)
    if let receipts {
      plain(",\"receipts\":{\"from\":\(receipts.from),\"to\":\(receipts.to),\"hash\":", &sink)
      quoted(Hex.encode(receipts.hash), &sink)
      plain("}", &sink)
    }
    plain("}", &sink)
  }

  // MARK: Text

  private static func plain(_ text: String, _ sink: inout some ByteSink & ~Copyable) { sink.append(text.utf8.span) }

  /// For what is no plaintext: ids, words of ours.
  private static func quoted(_ text: String, _ sink: inout some ByteSink & ~Copyable) { quoted(text.utf8.span, &sink) }

  /// Runs of ordinary bytes go over at once; only what JSON escapes is looked at one by one.
  private static func quoted(_ text: Span<UInt8>, _ sink: inout some ByteSink & ~Copyable) {
    sink.append(UInt8(ascii: "\""))
    var offset = 0
    while offset < text.count {
      let end = ByteRuns.plainUTF8(text, from: offset)
      sink.append(text.extracting(offset..<end))
      offset = end
      guard offset < text.count else { break }
      JSONValue.escaped(text[offset]) { sink.append($0) }
      offset += 1
    }
    sink.append(UInt8(ascii: "\""))
  }
}
