// The throw-away key pair that development tokens are signed with: made where it is missing, private to its owner, and
// marked so that nobody takes it for a real one. Its name holds `throw-away`, which services in production refuse.

import Contracts
import Cryptography
import Secrets
import ServiceRuntime

struct SigningKey: ~Copyable, Sendable {
  /// `throw-away-` and the first half of the digest of the public key.
  let id: String
  /// The public half, as it stands in a document of keys.
  let published: JSONValue
  private let key: Ed25519PrivateKey

  static let keyFile = "throw-away-signing-key.pem"
  static let documentFile = "throw-away-jwks.json"
  static let noteFile = "THROW-AWAY.txt"

  enum Problem: Error, CustomStringConvertible {
    case file(path: String, FileProblem)
    case notAKey(path: String)
    case door(CryptographyError)

    var description: String {
      switch self {
      case .file(let path, let problem): "\(Printable.name(path)) \(problem.sentence)"
      case .notAKey(let path):
        "\(Printable.name(path)) is not an Ed25519 private key; remove it, and a new one is made."
      case .door(let error): error.description
      }
    }
  }

  /// From a folder, which is made, and filled, where it is missing; the one it stands in must exist.
  init(in path: String) throws(Problem) {
    let folder: Folder
    do {
      folder = try Folder.make(path)
    } catch {
      throw .file(path: path, error)
    }
    if folder.status(of: Self.keyFile) == nil {
      // A document that outlived its key would let nobody in.
      try Self.removeDocument(in: folder)
      try Self.make(in: folder)
    }
    let key = try Self.read(folder.path(of: Self.keyFile))
    let raw = key.publicKey().raw
    let id = Self.id(of: raw)
    let published = Self.published(raw, id)
    if folder.status(of: Self.documentFile) == nil {
      try Self.create(Self.documentFile, 0o644, Self.document(of: [published]).compactBytes(), in: folder)
    }
    self.id = id
    self.published = published
    self.key = key
  }

  private static func read(_ file: String) throws(Problem) -> Ed25519PrivateKey {
    let secret: SecretBytes
    do {
      secret = try SecretFile.read(file)
    } catch {
      throw .file(path: file, error)
    }
    do {
      return try Ed25519PrivateKey(pem: secret.bytes)
    } catch {
      throw .notAKey(path: file)
    }
  }

  borrowing func sign(_ text: String) throws(Problem) -> String {
    let bytes = Array(text.utf8)
    do {
      let signature = try key.sign(bytes.span)
      return Base64URL.encode(signature.span)
    } catch {
      throw .door(error)
    }
  }

  // MARK: Making one

  private static func make(in folder: borrowing Folder) throws(Problem) {
    let pem: SecretBytes
    do {
      pem = try Ed25519PrivateKey.generate().pkcs8PEM()
    } catch {
      throw .door(error)
    }
    let note = """
      Everything in this folder is for development and demos on one machine, and is to be thrown away.
      Whoever can read \(keyFile) can be any user of a service that believes it.

      """
    if folder.status(of: noteFile) == nil { try create(noteFile, 0o644, Array(note.utf8), in: folder) }
    do throws(FileProblem) {
      try folder.create(keyFile, mode: 0o600, pem.bytes)
    } catch .exists {
      // Another process was quicker; its key is as good.
    } catch {
      throw .file(path: folder.path(of: keyFile), error)
    }
  }

  private static func removeDocument(in folder: borrowing Folder) throws(Problem) {
    guard folder.status(of: documentFile) != nil else { return }
    do {
      try folder.remove(documentFile)
    } catch {
      throw .file(path: folder.path(of: documentFile), error)
    }
  }

  private static func create(
    _ name: String, _ mode: UInt32, _ bytes: [UInt8], in folder: borrowing Folder
  ) throws(Problem) {
    do throws(FileProblem) {
      try folder.create(name, mode: mode, bytes.span)
    } catch .exists {
      // As above.
    } catch {
      throw .file(path: folder.path(of: name), error)
    }
  }

  private static func id(of raw: [UInt8]) -> String {
    "throw-away-" + Hex.encode(SHA256.digest(raw).prefix(16))
  }

  private static func published(_ raw: [UInt8], _ id: String) -> JSONValue {
    .object(
      JSONObject(members: [
        ("kty", .string("OKP")), ("crv", .string("Ed25519")), ("x", .string(Base64URL.encode(raw.span))),
        ("kid", .string(id)), ("use", .string("sig")), ("alg", .string("EdDSA")),
      ]))
  }

  /// What a service reads, from the web or from the file beside the key.
  static func document(of keys: [JSONValue]) -> JSONValue { .object(JSONObject(members: [("keys", .array(keys))])) }
}
