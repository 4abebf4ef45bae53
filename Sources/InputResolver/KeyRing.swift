// The private keys that this process unwraps with: one that its environment names, and those in a folder, which is read
// again at SIGHUP. Every key proves itself before it is used; a folder with one bad file changes nothing.

import Cryptography
import Grants
import Secrets
import ServiceRuntime
import Synchronization

final class KeyRing: Sendable {
  struct Problem: Error, Equatable, Sendable {
    let sentence: String
  }

  /// The key of the environment; it stays as long as the process.
  private let fixed: ResolverKeys
  private let folder: String?
  private let current: Mutex<ResolverKeys>

  /// More keys than that are no ring but somebody's archive, and v1 grants try each of them.
  static let mostKeys = 16

  init(fixed: ResolverKeys, folder: String?) throws(Problem) {
    (self.fixed, self.folder) = (fixed, folder)
    current = Mutex(try Self.load(folder, after: fixed))
  }

  /// The keys as they are now. Whoever holds them keeps them to the end of a batch.
  var keys: ResolverKeys { current.withLock { $0 } }

  /// What cannot be read leaves the ring as it was.
  func reload() throws(Problem) {
    let fresh = try Self.load(folder, after: fixed)
    current.withLock { $0 = fresh }
  }

  // MARK: Loading

  /// The key that a setting holds, if it is one.
  static func key(pem: borrowing SecretBytes) throws(Problem) -> ResolverKeys {
    try ring(ResolverKeys(), pem, named: "the private key")
  }

  /// File names begin with a date, so the last one by name is the newest and stands first.
  private static func load(_ path: String?, after fixed: ResolverKeys) throws(Problem) -> ResolverKeys {
    guard let path else { return fixed }
    var keys = fixed
    let names: [String]
    do throws(FileProblem) {
      let folder = try Folder(opening: path)
      // Whoever may put files there or take them away decides which key is the current one.
      let status = try folder.status()
      guard status.mode & 0o022 == 0 else { throw .openToOthers(mode: status.octalMode) }
      names = try folder.entries().filter { $0.hasSuffix(".pem") && !$0.hasPrefix(".") }
    } catch { throw Problem(sentence: "\(path) \(error.sentence)") }
    for name in names.reversed() {
      let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      let pem: SecretBytes
      do throws(FileProblem) { pem = try SecretFile.read(file) } catch {
        throw Problem(sentence: "\(file) \(error.sentence)")
      }
      keys = try ring(keys, pem, named: file)
    }
    guard keys.keyIds.count <= mostKeys else {
      throw Problem(sentence: "\(path) holds more than \(mostKeys) keys; move those away that no grant needs.")
    }
    return keys
  }

  /// `keys` and this one more, unless it is among them.
  private static func ring(
    _ keys: ResolverKeys, _ pem: borrowing SecretBytes, named name: String
  ) throws(Problem) -> ResolverKeys {
    let key: RSAPrivateKey
    do throws(KeyLoadError) { key = try RSAPrivateKey(pem: pem.bytes) } catch {
      throw Problem(sentence: "\(name) cannot be used: \(error)")
    }
    do throws(CryptographyError) { try key.selfTest() } catch {
      throw Problem(sentence: "\(name) does not open what it has sealed.")
    }
    return keys.keyIds.contains(key.publicKey().keyIdHex) ? keys : keys.adding(key)
  }
}
