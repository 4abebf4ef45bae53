// The environment of this process, read once. Only names from `KnownVariable` are kept; whatever else the parent
// process left there is never copied. Secrets go straight into locked memory, and their bytes in the block that the
// kernel shows as /proc/<pid>/environ and hands to child processes are wiped.

import Glibc
import Secrets
import Synchronization

package struct Environment: Sendable {
  enum Value: Sendable {
    case text(String)
    case secret(SecretSlot)
    /// Not UTF-8; no setting of ours can mean that.
    case notText
    /// The name stands there twice: programs differ in which of the two they believe.
    case repeated
    case tooLong
    case noLockedMemory
    /// Set, and already complained about.
    case refused
  }

  private var values: [String: Value] = [:]

  /// Names that begin as ours do and mean nothing to us, in order.
  package private(set) var unknownNames: [String] = []

  /// As long as the longest secret file, and far above any setting; the kernel alone would allow 128 KiB.
  package static let longestValue = SecretFile.longest

  /// What this process was started with. Read at the first use, before any thread of ours could change it; nothing in
  /// this project ever sets a variable.
  package static let process = unsafe Environment(block: environ)

  /// A list of `NAME=value` texts that ends with a null pointer, as the kernel hands it to a process.
  init(block: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
    var entry = unsafe block
    while let start = unsafe entry.pointee {
      unsafe take(UnsafeMutableBufferPointer(start: start, count: strlen(start)))
      unsafe entry += 1
    }
    unknownNames.sort()
  }

  /// For tests and for whoever starts a part of the house with settings of its own.
  package init(_ variables: [String: String]) {
    for (name, value) in variables {
      var bytes = Array(value.utf8)
      unsafe bytes.withUnsafeMutableBytes { unsafe keep(name, $0) }
    }
    unknownNames.sort()
  }

  /// One `NAME=value`. An entry without `=` is nobody's setting.
  private mutating func take(_ entry: UnsafeMutableBufferPointer<CChar>) {
    let bytes = UnsafeMutableRawBufferPointer(entry)
    guard let equals = unsafe bytes.firstIndex(of: UInt8(ascii: "=")) else { return }
    let name = unsafe String(decoding: bytes[..<equals], as: UTF8.self)
    unsafe keep(name, UnsafeMutableRawBufferPointer(rebasing: bytes[(equals + 1)...]))
  }

  private mutating func keep(_ name: String, _ value: UnsafeMutableRawBufferPointer) {
    guard let meaning = KnownVariable.meanings[name] else {
      if name.hasPrefix(KnownVariable.prefix), !unknownNames.contains(name) { unknownNames.append(name) }
      return
    }
    let isSecret = if case .value(.secret) = meaning { true } else { false }
    defer { if isSecret { unsafe Self.wipe(value) } }
    // An empty variable counts as absent: that is how a shell or a unit file takes a setting back.
    guard unsafe !value.isEmpty else { return }
    if values[name] != nil {
      values[name] = .repeated
    } else if value.count > Self.longestValue {
      values[name] = .tooLong
    } else if isSecret {
      values[name] = unsafe Self.lock(value)
    } else {
      values[name] = unsafe String(validating: value, as: UTF8.self).map(Value.text) ?? .notText
    }
  }

  private static func lock(_ value: UnsafeMutableRawBufferPointer) -> Value {
    do {
      let span = unsafe Span<UInt8>(_unsafeElements: UnsafeBufferPointer(value.assumingMemoryBound(to: UInt8.self)))
      return .secret(SecretSlot(try SecretBytes(copying: span)))
    } catch {
      return .noLockedMemory
    }
  }

  private static func wipe(_ value: UnsafeMutableRawBufferPointer) {
    guard let start = value.baseAddress else { return }
    unsafe explicit_bzero(start, value.count)
  }

  func value(of name: String) -> Value? { values[name] }

  /// Wipes the secrets that nobody took: another process's key, set by mistake, does not stay in this one.
  func forgetSecrets() {
    for case .secret(let slot) in values.values { slot.empty() }
  }

  /// Names with our prefix, for the question what a wrong one was meant to be.
  static let ourNames = KnownVariable.meanings.keys.filter { $0.hasPrefix(KnownVariable.prefix) }.sorted()
}

/// A secret on its way from the environment to its one owner.
final class SecretSlot: Sendable {
  private let secret: Mutex<SecretBytes?>

  init(_ secret: consuming SecretBytes) { self.secret = Mutex(consume secret) }

  /// The first caller becomes the owner. Asking later is a mistake in our own code, since a secret has one room.
  func take() -> SecretBytes {
    guard let taken = secret.withLock({ $0.take() }) else {
      preconditionFailure("a secret was read from the environment twice, or after the configuration was built")
    }
    return taken
  }

  func empty() { secret.withLock { $0 = nil } }

  var isEmpty: Bool { secret.withLock { $0 == nil } }
}
