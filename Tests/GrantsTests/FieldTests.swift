// enc:1 and enc:2 fields: what opens, and everything that does not.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

/// Opens and seals with one codec, so that what a failure leaves behind would be noticed by the next call.
struct Fields: ~Copyable {
  var codec: FieldCodec
  let one: MissionKeyV1
  let two: RecordKey

  init() throws {
    let codec = try FieldCodec()
    let one = try Ordinary.missionKeyV1()
    let two = try Ordinary.recordKey()
    self.codec = codec
    self.one = one
    self.two = two
  }

  static let place = FieldPlace(user: id(Ordinary.user), record: record("notes:n1"), field: "title")
  static let iv: [UInt8] = Array(0xA0...0xAB)

  mutating func seal(_ version: FieldEnvelope.Version, _ message: [UInt8]) throws -> String {
    switch version {
    case .one: try codec.seal1(message.span, key: one, iv: Self.iv)
    case .two: try codec.seal2(message.span, key: two, place: Self.place, iv: Self.iv)
    }
  }

  /// The JSON text that comes out, or why nothing does. What stood in the buffer before must stand there afterwards.
  mutating func open(
    _ version: FieldEnvelope.Version, _ text: [UInt8], place: FieldPlace = place
  ) -> Result<String, FieldFailure> {
    let before = Array("kept".utf8)
    var plaintext = WipedBytes(copying: before.span)
    do throws(FieldFailure) {
      let value =
        switch version {
        case .one: try codec.open1(text.span, key: one, onto: &plaintext)
        case .two: try codec.open2(text.span, key: two, place: place, onto: &plaintext)
        }
      #expect(value.range == 4..<plaintext.count)
      #expect([UInt8](copying: plaintext.bytes).prefix(4) == before[...])
      return .success(String(decoding: [UInt8](copying: plaintext.bytes.extracting(value.range)), as: UTF8.self))
    } catch {
      #expect([UInt8](copying: plaintext.bytes) == before)
      return .failure(error)
    }
  }

  mutating func open(
    _ version: FieldEnvelope.Version, _ text: String, place: FieldPlace = place
  ) -> Result<String, FieldFailure> {
    open(version, Array(text.utf8), place: place)
  }
}

@Suite struct FieldTests {
  private static let both: [FieldEnvelope.Version] = [.one, .two]
  private static let tampered = Result<String, FieldFailure>.failure(.refused(.ciphertextTampered))
  private static let malformed = Result<String, FieldFailure>.failure(.refused(.ciphertextMalformed))
  private static let failed = Result<String, FieldFailure>.failure(.refused(.decryptFailed))

  @Test("Every kind of JSON value comes out as it was sealed", arguments: both)
  func roundTrip(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    let values = [
      "\"hello\"", "\"\"", "null", "true", "false", "0", "-12.50e+3", "1e999", "[]", "{}",
      "{\"b\":1,\"a\":[true,null]}",
      " \t\r\n[ 1 ]\n", "{\"a\":1,\"a\":2}", "\"\(composed) \(decomposed) \u{1F600} \u{2028}\"",
      "\"\\u00e9\\ud83d\\ude00\\/\\\"\"", "\"" + String(repeating: "x", count: 100_000) + "\"", "\"short again\"",
    ]
    for value in values {
      let sealed = try fields.seal(version, Array(value.utf8))
      #expect(try fields.open(version, sealed).get().utf8.elementsEqual(value.utf8))
    }
  }

  @Test("The seeds' published enc:1 text of a known key is written the same way")
  func knownText() throws {
    // Key 01 … 20, nonce a0 … ab: the published bytes of "hello".
    var codec = try FieldCodec()
    let raw = ThrowAway.masterKey
    let wrapped = try ThrowAway.a.publicKey.encryptOAEP(raw.span, label: Span<UInt8>())
    let key = try ThrowAway.a.resolver.unwrapV1(wrapped: wrapped)
    let hello = Array("\"hello\"".utf8)
    let text = try codec.seal1(hello.span, key: key, iv: Fields.iv)
    #expect(text == "enc:1:oKGio6Slpqeoqaqr.m7lYCpHaeDWe1AT6Bdn7hX/vjClf+zc=")
  }

  @Test("Any other byte at any position of a sealed text is refused", arguments: both)
  func everyByte(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    // 8 + 16 bytes: no padding, so forgiving base64 has no other spelling of the same length.
    let text = Array(try fields.seal(version, Array("\"a note\"".utf8)).utf8)
    #expect(try fields.open(version, text).get() == "\"a note\"")
    var tried = 0
    for index in text.indices {
      for byte in UInt8.min...UInt8.max where byte != text[index] {
        var changed = text
        changed[index] = byte
        let ending = fields.open(version, changed)
        guard [Self.tampered, Self.malformed, Self.failed].contains(ending) else {
          Issue.record("byte \(index) may be \(byte)")
          continue
        }
        // A wrong prefix is no envelope of this version, whatever stands behind it.
        #expect(index >= 6 || ending == Self.malformed)
        tried += 1
      }
    }
    #expect(tried == text.count * 255)
    #expect(try fields.open(version, text).get() == "\"a note\"")
  }

  @Test("Cut off anywhere, or with anything behind it, a sealed text is refused", arguments: both)
  func truncation(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    let text = Array(try fields.seal(version, Array("\"a note\"".utf8)).utf8)
    for count in 0..<text.count {
      let ending = fields.open(version, Array(text.prefix(count)))
      #expect([Self.tampered, Self.malformed, Self.failed].contains(ending))
    }
    for more in ["A", "AAAA", ".", "=", "\0"] {
      #expect([Self.tampered, Self.failed].contains(fields.open(version, text + Array(more.utf8))))
    }
    #expect(fields.open(.two, text + [0x20]) != .success("\"a note\""))
  }

  @Test("The first thing that is wrong names the reason, in one order for both versions", arguments: both)
  func order(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    let prefix = version == .one ? "enc:1:" : "enc:2:"
    let iv = Base64.encode(Fields.iv.span)
    let other = version == .one ? "enc:2:" : "enc:1:"
    let cases: [(String, Result<String, FieldFailure>)] = [
      ("", Self.malformed), ("enc", Self.malformed), (prefix, Self.malformed), (prefix + "AAAA", Self.malformed),
      (prefix + "!", Self.malformed), (other + iv + ".!", Self.malformed), ("enc:3:" + iv + ".AAAA", Self.malformed),
      (prefix.uppercased() + iv + ".AAAA", Self.malformed), (" " + prefix + iv + ".AAAA", Self.malformed),
      (prefix + "!." + "!", Self.failed), (prefix + iv + ".!", Self.failed), (prefix + iv + ".AAAA.AAAA", Self.failed),
      (prefix + "." + iv, Self.failed), (prefix + "AAAA.!", Self.failed), (prefix + "AAAA.AAAA", Self.failed),
      (prefix + iv + iv + ".AAAA", Self.failed), (prefix + iv + ".", Self.tampered),
      (prefix + iv + ".AAAA", Self.tampered),
      (prefix + iv + "." + Base64.encode([UInt8](repeating: 0, count: 15).span), Self.tampered),
      (prefix + iv + "." + Base64.encode([UInt8](repeating: 0, count: 16).span), Self.tampered),
    ]
    for (text, wanted) in cases { #expect(fields.open(version, text) == wanted, "\(text)") }
    for notJSON in [
      "", "x", "\"x", "1 2", "[1,]", "01", "NaN", "\u{FEFF}\u{FEFF}1", "\"\\ud83d\"", "\"\\x\"", "\"\n\"", "\"",
      "\"a\"b\"", "\"\"\"",
    ] {
      let sealed = try fields.seal(version, Array(notJSON.utf8))
      #expect(fields.open(version, sealed) == Self.failed, "\(notJSON)")
    }
  }

  @Test("Nonces of other lengths are refused, even where GCM would take them", arguments: both)
  func nonceLengths(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    let message = Array("1".utf8)
    for count in 1...32 where count != 12 {
      let iv = [UInt8](repeating: 3, count: count)
      let aad = version == .one ? [] : Fields.place.aad
      let key = version == .one ? bytes(fields.one) : bytes(fields.two)
      let sealed: [UInt8] = try fields.codec.cipher.seal(message.span, key: key.span, iv: iv.span, aad: aad.span)
      let text = (version == .one ? "enc:1:" : "enc:2:") + Base64.encode(iv.span) + "." + Base64.encode(sealed.span)
      #expect(fields.open(version, text) == Self.failed)
    }
  }

  @Test("Bytes that are not UTF-8 are replaced and one byte-order mark is dropped", arguments: both)
  func repair(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    let cases: [([UInt8], String)] = [
      ([0xEF, 0xBB, 0xBF, 0x31], "1"), ([0x22, 0xFF, 0x22], "\"\u{FFFD}\""),
      ([0x22, 0xE2, 0x82, 0x22], "\"\u{FFFD}\""),
      ([0x22, 0xED, 0xA0, 0xBD, 0x22], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""),
      ([0x22, 0xC0, 0xAF, 0x22], "\"\u{FFFD}\u{FFFD}\""),
      ([0x22, 0xEF, 0xBB, 0xBF, 0x22], "\"\u{FEFF}\""), ([0xEF, 0xBB, 0xBF, 0x22, 0x80, 0x22], "\"\u{FFFD}\""),
    ]
    for (message, wanted) in cases {
      let sealed = try fields.seal(version, message)
      #expect(try fields.open(version, sealed).get().utf8.elementsEqual(wanted.utf8))
    }
    for message in [[0x31, 0xFF], [0xFF, 0x31], [0xEF, 0xBB, 0xBF], [0xEF, 0xBB, 0x31]] as [[UInt8]] {
      let sealed = try fields.seal(version, message)
      #expect(fields.open(version, sealed) == Self.failed)
    }
  }

  @Test("A byte that is special in JSON or no UTF-8 is seen at every place of a long string", arguments: both)
  func specialBytes(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    var (opened, refused) = (0, 0)
    for length in [0, 1, 63, 64, 65, 130] {
      for place in 0...(length + 1) {
        for special in [0x22, 0x5C, 0x00, 0x1F, 0x0A, 0x7F, 0x80, 0xC3, 0xFF] as [UInt8] {
          var message = [0x22] + [UInt8](repeating: 0x61, count: length) + [0x22]
          message[place] = special
          // What a reader without any short cut makes of it.
          let repaired = String(decoding: message, as: UTF8.self)
          let wanted = (try? JSONValue(parsing: repaired)).map { _ in repaired }
          let text = try fields.seal(version, message)
          #expect(fields.open(version, text) == (wanted.map { .success($0) } ?? Self.failed))
          if wanted == nil { refused += 1 } else { opened += 1 }
        }
      }
    }
    #expect(opened > 1000 && refused > 1000)
  }

  @Test("JSON down to 2,048 levels opens, one level more does not", arguments: both)
  func deep(version: FieldEnvelope.Version) throws {
    var fields = try Fields()
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      for (levels, opens) in [(2048, true), (2049, false), (100_000, false)] {
        let text =
          String(repeating: open, count: levels) + (open == "[" ? "" : "1") + String(repeating: close, count: levels)
        let sealed = try fields.seal(version, Array(text.utf8))
        #expect(fields.open(version, sealed) == (opens ? .success(text) : Self.failed))
      }
    }
  }

  @Test("An enc:2 value opens in its own place and in no other, under any key")
  func moved() throws {
    var places: [FieldPlace] = []
    for user in [Ordinary.user, "user-9", composed, decomposed] {
      for name in ["notes:n1", "notes:n2", "tasks:n1", "note:sn1", "notes:" + composed, "notes:" + decomposed] {
        for field in ["title", "content", "Title", "", composed, decomposed] {
          places.append(FieldPlace(user: id(user), record: record(name), field: field))
        }
      }
    }
    #expect(Set(places).count == 144)
    var codec = try FieldCodec()
    let message = Array("1".utf8)
    var (opened, refused) = (0, 0)
    for (index, place) in places.enumerated() {
      let own = try Ordinary.recordKey(place.record.joined, user: place.user.text)
      let text = try codec.seal2(message.span, key: own, place: place, iv: Fields.iv)
      for (other, elsewhere) in places.enumerated() {
        var plaintext = WipedBytes()
        // Under the key that sealed it: only the additional data stand against the move.
        let ending = Ending { () throws(FieldFailure) in
          _ = try codec.open2(text.utf8.span, key: own, place: elsewhere, onto: &plaintext)
        }
        #expect(ending == (index == other ? .opened : .refused(.ciphertextTampered)))
        if index == other { opened += 1 } else { refused += 1 }
      }
    }
    #expect((opened, refused) == (144, 144 * 143))
  }

  @Test("The key of another record or user does not open a value in its own place")
  func otherKeys() throws {
    var fields = try Fields()
    let text = try fields.seal(.two, Array("1".utf8))
    let keys = [("notes:n2", Ordinary.user), ("tasks:n1", Ordinary.user), ("notes:n1", "user-9")]
    for (name, user) in keys {
      let key = try Ordinary.recordKey(name, user: user)
      var plaintext = WipedBytes()
      let ending = Ending { () throws(FieldFailure) in
        _ = try fields.codec.open2(text.utf8.span, key: key, place: Fields.place, onto: &plaintext)
      }
      #expect(ending == .refused(.ciphertextTampered))
    }
  }

  @Test("enc:1 is read as browsers read base64, enc:2 only as it is written")
  func dialects() throws {
    var fields = try Fields()
    for (version, opens) in [(FieldEnvelope.Version.one, true), (.two, false)] {
      let text = try fields.seal(version, Array("\"hello\"".utf8))  // 23 bytes: one sign of padding.
      let bare = String(text.dropLast())
      let last = try #require(bare.last)
      let loose =
        bare.dropLast()
        + ([
          "A": "B", "E": "F", "I": "J", "M": "N", "Q": "R", "U": "V", "Y": "Z", "c": "d",
          "g": "h", "k": "l", "o": "p", "s": "t", "w": "x", "0": "1", "4": "5", "8": "9",
        ][last] ?? "?") + "="
      let spellings = [
        bare, String(loose), text.replacing(".", with: "\n.\t"), text + " ", "\(text.prefix(6)) \(text.dropFirst(6))",
        "\(text.prefix(9))\r\u{C}\(text.dropFirst(9))",
      ]
      for spelled in spellings {
        #expect(fields.open(version, spelled) == (opens ? .success("\"hello\"") : Self.failed), "\(spelled)")
      }
      for wrong in [text + "=", text.replacing("=", with: "-"), "\(text.prefix(6))\u{A0}\(text.dropFirst(6))"] {
        #expect(fields.open(version, wrong) == Self.failed)
      }
    }
  }
}
