// `mandate keys generate`: makes a pair, proves that it works, and only then writes it.

import Cryptography
import Secrets
import ServiceRuntime

enum KeysGenerate {
  private static let bits = Option.oneOf(
    "bits", RSAPrivateKey.sizes.map { String($0) }, fallback: "2048", reason: "The size of the RSA modulus.")

  private static let name = Option(
    name: "name", placeholder: "NAME", fallback: nil, reason: "What to call the pair; a name is used once."
  ) { KeyFileName.isName($0) ? nil : KeyFileName.allowedNames }

  static let command = Command(
    group: "keys", name: "generate", summary: "Make an RSA pair for the resolver.",
    details: [
      "The private half is written to `private/` below the folder, with mode 0600; of this project's folders git "
        + "ignores `keys/private/` alone. The public half goes into the folder itself and may be committed. The pair is "
        + "tested before anything is written, nothing is ever overwritten, and no command reads the private half again.",
      "A run that was interrupted leaves nothing, or parts that `mandate keys list` names; the next run ends what it "
        + "began.",
    ],
    options: [bits, KeysCommands.folder, name],
    examples: [
      "mandate keys generate", "mandate keys generate --bits 4096 --name resolver-2026",
      "mandate keys generate --folder /etc/mandate/keys",
    ],
    run: { invocation async throws(CommandFailure) in try run(invocation, clock: .system) })

  private static func run(_ invocation: Invocation, clock: WallClock) throws(CommandFailure) -> Report {
    guard let size = invocation[bits].flatMap({ Int($0) }) else { preconditionFailure("--bits has a default") }
    let wanted = invocation[name]
    let folder = try KeyFolder(making: KeysCommands.path(invocation))
    // The name is looked up before the long part, to refuse early, and again when the pair is written, to be right.
    let (repair, owner) = try folder.locked { () throws(CommandFailure) in
      (try folder.repair(), try folder.pair(named: wanted))
    }
    if let owner {
      // Begun by a run that was interrupted, finished just now: that is what was asked for.
      guard repair.finished.contains(owner), let key = folder.publicKey(of: owner), key.bits == size else {
        throw taken(by: owner, in: folder, repair)
      }
      return report(owner, key, in: folder, repair)
    }
    let pair = try make(bits: size)
    let file = KeyFileName(date: clock.now().date, name: wanted, keyId: pair.key.keyIdHex)
    try folder.locked { () throws(CommandFailure) in
      if let owner = try folder.pair(named: wanted) { throw taken(by: owner, in: folder, Repair()) }
      try folder.write(privateHalf: pair.pem, publicHalf: pair.key.pem(), as: file)
    }
    return report(file, pair.key, in: folder, repair)
  }

  private static func report(
    _ file: KeyFileName, _ key: RSAPublicKey, in folder: borrowing KeyFolder, _ repair: Repair
  ) -> Report {
    let report = GenerateReport(file, key, in: folder, repair)
    return Report(text: report.text, json: JSONText.of(report))
  }

  private struct Made: ~Copyable {
    let key: RSAPublicKey
    let pem: SecretBytes
  }

  /// The private half exists only in here, and in the text that will be its file.
  private static func make(bits: Int) throws(CommandFailure) -> Made {
    if bits >= 4096 { Progress.note("Making a pair of \(bits) bits; that can take some seconds.") }
    do throws(CryptographyError) {
      let pair = try RSAPrivateKey.generate(bits: bits)
      try pair.selfTest()
      let pem = try pair.pkcs8PEM()
      // What is about to be written must load again, and as the same key.
      guard let again = reload(pem), again == pair.publicKey() else {
        throw .broken("the new pair cannot be loaded from its own text")
      }
      return Made(key: again, pem: pem)
    } catch {
      throw .refused("no pair was made: \(error).")
    }
  }

  private static func reload(_ pem: borrowing SecretBytes) -> RSAPublicKey? {
    do { return try RSAPrivateKey(pem: pem.bytes).publicKey() } catch { return nil }
  }

  private static func taken(
    by file: KeyFileName, in folder: borrowing KeyFolder, _ repair: Repair
  ) -> CommandFailure {
    let isWhole = folder.open.status(of: file.text) != nil
    let path = (isWhole ? folder.open.path(of: file.text) : folder.hidden.path(of: file.text))
    let ending = repair.finished.contains(file) ? " An interrupted run had begun it and this one finished it." : ""
    return .refused(
      "\(Printable.name(path)) exists already, and nothing is overwritten: choose another --name, or see what is there: "
        + "mandate keys list --folder \(Printable.word(folder.open.path))\(ending)")
  }
}
