// What a planner is shown of a record: a title and some content, by the rules of its module. The plaintext is read where
// it lies and written to the caller's sink; nothing of it is kept here.

package import Contracts

extension InputModule {
  package func writeTitle<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    of record: borrowing Record, to sink: inout Sink
  ) {
    var cut = CutText(atMost: nil)
    switch title {
    case .fixed(let words): cut.write(words, to: &sink)
    case .field(let words):
      if !Self.writeIfText("title", of: record, to: &cut, &sink) { cut.write(words, to: &sink) }
    case .anyField(let words): Self.writeAny("title", of: record, orElse: words, to: &cut, &sink)
    }
  }

  package func writeContent<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    of record: borrowing Record, to sink: inout Sink
  ) {
    var cut = CutText(atMost: cap)
    switch content {
    case .textOrJSON:
      let isThere = Self.with("content", of: record, &cut) { value, kind, text in
        guard kind != .null else { return false }
        if kind == .string { value.writeString(0, text, to: &sink) } else { value.writeJSON(0, text, to: &sink) }
        return true
      }
      if !isThere { cut.write("\"\"", to: &sink) }
    case .textOnly: _ = Self.writeIfText("content", of: record, to: &cut, &sink)
    case .line(let parts): Self.writeLine(parts, of: record, to: &cut, &sink)
    case .lines(let fields): Self.writeLines(fields, of: record, to: &cut, &sink)
    case .progress: Self.writeProgress(of: record, to: &cut, &sink)
    }
    cut.finish(&sink)
  }

  // MARK: The rules

  private static func writeLine<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    _ parts: [Part], of record: borrowing Record, to cut: inout CutText, _ sink: inout Sink
  ) {
    var isFirst = true
    for part in parts {
      let isText = with(part.field, of: record, &cut) { value, kind, text in
        guard kind == .string else { return false }
        guard !value.isEmptyText else { return true }
        if !isFirst { value.cut.write(" ", to: &sink) }
        isFirst = false
        value.cut.write(part.before, to: &sink)
        value.writeString(0, text, to: &sink)
        value.cut.write(part.after, to: &sink)
        return true
      }
      if !isText, let words = part.orElse {
        if !isFirst { cut.write(" ", to: &sink) }
        isFirst = false
        cut.write(words, to: &sink)
      }
    }
  }

  private static func writeLines<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    _ fields: [String], of record: borrowing Record, to cut: inout CutText, _ sink: inout Sink
  ) {
    var isFirst = true
    for field in fields {
      let isWritten = with(field, of: record, &cut) { value, kind, text in
        switch kind {
        case .string:
          guard let range = value.trimmed(in: text) else { return false }
          if !isFirst { value.cut.write("\n", to: &sink) }
          value.writeString(0, text, within: range, to: &sink)
        case .array, .object:
          if !isFirst { value.cut.write("\n", to: &sink) }
          value.writeJSON(0, text, to: &sink)
        case .null, .true, .false, .number: return false
        }
        return true
      }
      if isWritten { isFirst = false }
    }
  }

  private static func writeProgress<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    of record: borrowing Record, to cut: inout CutText, _ sink: inout Sink
  ) {
    cut.write("Fortschritt: ", to: &sink)
    writeAny("currentValue", of: record, orElse: "0", to: &cut, &sink)
    cut.write(" / ", to: &sink)
    writeAny("target", member: "value", of: record, orElse: "?", to: &cut, &sink)
    cut.write(" (", to: &sink)
    writeAny("period", of: record, orElse: "unbekannt", to: &cut, &sink)
    cut.write(")", to: &sink)
  }

  // MARK: Fields

  /// False, and nothing written, where the field is no text.
  private static func writeIfText<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    _ field: String, of record: borrowing Record, to cut: inout CutText, _ sink: inout Sink
  ) -> Bool {
    with(field, of: record, &cut) { value, kind, text in
      guard kind == .string else { return false }
      value.writeString(0, text, to: &sink)
      return true
    }
  }

  /// The field, or one member of it, as JavaScript makes a text of it; `words` where it is absent or null.
  private static func writeAny<Record: RecordFields & ~Copyable, Sink: ByteSink & ~Copyable>(
    _ field: String, member: String? = nil, of record: borrowing Record, orElse words: String, to cut: inout CutText,
    _ sink: inout Sink
  ) {
    let isWritten = with(field, of: record, &cut) { value, _, text in
      guard let index = member.map({ value.member($0, text) }) ?? 0, value.kind(of: index) != .null else {
        return false
      }
      value.writeText(index, text, to: &sink)
      return true
    }
    if !isWritten { cut.write(words, to: &sink) }
  }

  /// Lends the field's value with the cut in it, and takes the cut back. False where there is no such field.
  private static func with<Record: RecordFields & ~Copyable>(
    _ field: String, of record: borrowing Record, _ cut: inout CutText,
    _ body: (inout ValueText, JSONTape.Kind, Span<UInt8>) -> Bool
  ) -> Bool {
    record.withField(field) { tape, text in
      var value = ValueText(tape, cut)
      let done = body(&value, value.kind(of: 0), text)
      cut = value.cut
      return done
    } ?? false
  }
}
