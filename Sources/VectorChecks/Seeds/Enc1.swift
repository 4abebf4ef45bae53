// enc1: key and stored value → JSON value or class of error, as the reader that sits in the services (`manaAi`) has
// it. The reference's other reader has no counterpart of ours, so what is said about it is not run.

import Contracts
import Cryptography
import Grants
import Secrets
import ServiceRuntime

enum Enc1 {
  static let kind = SeedsFile.kind(
    "enc1", reference: "crypto/decrypt-value.ts", prepare: { _ throws(UnreadableVectors) in TestMissionKeys.shared },
    check: { fields, keys throws(CaseProblem) in try check(fields, keys) })

  /// What a reading gives: the file's words for errors are held against ours by `refusal`.
  private enum Reading: Equatable {
    case value(JavaScriptValue)
    case refused(FieldRefusal)
    case broken(String)
  }

  private static func check(_ fields: CaseFields, _ keys: TestMissionKeys) throws(CaseProblem) -> Outcome {
    let (keyBytes, wire) = (try fields.hex("keyHex"), try fields.value("wire"))
    let expected = try fields.fields("expected").fields("manaAi")
    let key = try keys.key(keyBytes)
    let isEncrypted = wire.text.map { FieldEnvelope.version(of: Array($0.utf8).span) == .one } ?? false
    guard isEncrypted == (try fields.bool("isEncrypted")) else { return .failed("isEncrypted is \(isEncrypted)") }

    let inRecord = readRecord(wire, key)
    if isEncrypted, let text = wire.text {
      guard readField(text, key) == inRecord else { return .failed("field and record are read differently") }
    }
    if case .broken(let why) = inRecord { return .failed(why) }
    let isSealable = fields["plaintextUtf8"] != nil && isEncrypted
    if isSealable, let text = wire.text, try opensToPlaintext(expected),
      let difference = try sealDifference(try fields.text("plaintextUtf8"), text, key)
    {
      return .failed(difference)
    }
    let outcome = try judge(inRecord, expected, wording: try fields.fields("expected")["auditReasonNode20"]?.text)
    guard try fields.tags().contains(Apart.engine) else { return outcome }
    // Whatever the engine did, either its value comes out or none.
    if case .value = inRecord, outcome != .passed { return .failed("another value came out") }
    return .setApart(Apart.engine)
  }

  private static func judge(_ found: Reading, _ expected: CaseFields, wording: String?) throws(CaseProblem) -> Outcome {
    guard try expected.bool("ok") else {
      let error = try expected.text("error")
      guard let wanted = refusal(of: error) else {
        throw CaseProblem(why: "the error \(Printable.name(error)) is not known")
      }
      guard found == .refused(wanted) else {
        return .failed("\(sentence(found)), expected \(wanted.rawValue) (\(error))")
      }
      return wording == nil || wording == wanted.rawValue ? .passed : .setApart(Apart.reason)
    }
    let value = try expected.javaScriptValue()
    if value.hasLoneSurrogate {
      return found == .refused(.decryptFailed)
        ? .setApart(Apart.loneSurrogate) : .failed("\(sentence(found)), but half a surrogate pair must be refused")
    }
    return found == .value(value) ? .passed : .failed("\(sentence(found)), expected another value")
  }

  /// The file's classes of error in our words (deviation 4).
  private static func refusal(of error: String) -> FieldRefusal? {
    switch error {
    case "missing-separator": .ciphertextMalformed
    case "iv-length", "base64", "json": .decryptFailed
    case "aead": .ciphertextTampered
    default: nil
    }
  }

  private static func sentence(_ found: Reading) -> String {
    switch found {
    case .value: "a value came out"
    case .refused(let why): "refused as \(why.rawValue)"
    case .broken(let why): why
    }
  }

  // MARK: Our reader, both ways in

  private static func readField(_ text: String, _ key: TestMissionKeys.Key) -> Reading {
    let characters = Array(text.utf8)
    var plaintext = WipedBytes()
    do throws(FieldFailure) {
      var codec = try codec()
      let opened = try codec.open1(characters.span, key: key.missionKey, onto: &plaintext)
      return .value(JavaScriptValue(JSONValue(opened.tape, in: plaintext.bytes.extracting(opened.range))))
    } catch { return reading(of: error) }
  }

  /// The value as one field of a record, between two that are no envelopes and must come through untouched.
  private static func readRecord(_ wire: JSONValue, _ key: TestMissionKeys.Key) -> Reading {
    let (before, after) = (JSONValue.string("enc:1 is a prefix"), JSONValue.array([wire]))
    let record = JSONObject(members: [("before", before), ("field", wire), ("after", after)])
    do throws(FieldFailure) {
      var codec = try codec()
      let opened = try codec.openRecord1(record, key: key.missionKey)
      guard opened.copyOfField("before") == before, opened.copyOfField("after") == after else {
        return .broken("a field that is no envelope was changed")
      }
      guard let value = opened.copyOfField("field") else { return .broken("the field is gone") }
      return .value(JavaScriptValue(value))
    } catch { return reading(of: error) }
  }

  static func codec() throws(FieldFailure) -> FieldCodec {
    do { return try FieldCodec() } catch { throw .failed(error) }
  }

  private static func reading(of failure: FieldFailure) -> Reading {
    switch failure {
    case .refused(let why): .refused(why)
    case .failed(let error): .broken("our own failure: \(error)")
    }
  }

  // MARK: Our writer

  /// A wrong tag or an envelope that does not parse says nothing about the plaintext beside it.
  private static func opensToPlaintext(_ expected: CaseFields) throws(CaseProblem) -> Bool {
    if try expected.bool("ok") { return true }
    return try expected.text("error") == "json"
  }

  /// Sealing the plaintext under the same IV gives the same bytes, however the base64 of the file is spelled.
  private static func sealDifference(
    _ plaintext: String, _ wire: String, _ key: TestMissionKeys.Key
  ) throws(CaseProblem) -> String? {
    let (wireBytes, plainBytes) = (Array(wire.utf8), Array(plaintext.utf8))
    do {
      let envelope = try FieldEnvelope(parsing: wireBytes.span, as: .one)
      var codec = try FieldCodec()
      let iv = [UInt8](copying: envelope.iv)
      let ours = try codec.seal1(plainBytes.span, key: key.missionKey, iv: iv)
      let ourBytes = Array(ours.utf8)
      let again = try FieldEnvelope(parsing: ourBytes.span, as: .one)
      return Difference.between(
        [UInt8](copying: envelope.decoded), [UInt8](copying: again.decoded), "the plaintext sealed again")
    } catch { return "the plaintext could not be sealed again" }
  }
}
